"""The outbox's file: numbered entries per lane in SQLite, each with a digest, and what was lost.

Every write is one transaction, on disk (`synchronous=FULL`) before the method returns. Numbers are
counted in the file, never derived from what happens to be left in it, so that none is ever given
twice; the file's random epoch tells its numbers from those of a file before it.
"""
