"""Judging thousands of pictures that nobody waits for, in order, whatever runs it."""
