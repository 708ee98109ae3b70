"""An open file of all lanes: append, read on, acknowledge; bounded in size."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from edge_agent.spool.database import in_our_words, open_database, transaction
from edge_agent.spool.lane import GapReason, LaneRows, Row
from processing.wire.limits import MAX_TEXT
from processing.wire.messages import LANES, Gap, Lane, LaneState

_RETAINED_SHARE: Final = 0.05
"""Of the capacity, a lane: how much that the hub has taken is kept, in case it forgets."""
_RETAINED_S: Final = 86_400.0
_MAX_DEAD_LETTERS: Final = 1000


@dataclass(frozen=True, slots=True)
class New:
    """An entry without a number yet."""

    lane: Lane
    at: datetime
    body: bytes


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive entries of a lane; the first has `first_seq`."""

    first_seq: int
    bodies: tuple[bytes, ...]

    @property
    def last_seq(self) -> int:
        return self.first_seq + len(self.bodies) - 1


class DeadLetter(NamedTuple):
    """An entry that the hub will never have."""

    lane: Lane
    seq: int
    code: str
    detail: str


class Spool:
    """Used by one thread at a time. Methods raise `SpoolDamaged` or `SpoolRefused`."""

    def __init__(self, path: Path, *, capacity_bytes: int) -> None:
        """Open or make the file."""
        self.path: Final = path
        self._capacity_bytes = capacity_bytes
        self._db, self.epoch = open_database(path)
        with in_our_words():
            self._lanes = {lane: LaneRows(self._db, lane) for lane in LANES}

    # ------------------------------------------------------------ writing

    def append(self, entries: Sequence[New], *, now: datetime) -> list[int]:
        """Number and store the entries in their order; return their seqs.

        What goes beyond the capacity is dropped, oldest of the lowest lane first, as a gap.
        """
        with self._transaction():
            seqs = [self._lanes[entry.lane].insert(entry.at, entry.body) for entry in entries]
            self._trim(self._capacity_bytes, now)
        return seqs

    def skip(self, lane: Lane, n: int, reason: GapReason, *, now: datetime) -> None:
        """Give the next `n` numbers of a lane to entries that are lost already."""
        with self._transaction():
            self._lanes[lane].skip(n, reason, now)

    def ack(self, lane: Lane, through_seq: int, *, now: datetime) -> None:
        """Note that the hub has everything through here; it never goes back."""
        rows = self._lanes[lane]
        through_seq = min(through_seq, rows.counts.next_seq - 1)
        if through_seq > rows.counts.acked_through:
            with self._transaction():
                rows.acknowledge(through_seq)
                rows.forget_all_but(
                    int(self._capacity_bytes * _RETAINED_SHARE), since=now.timestamp() - _RETAINED_S
                )

    def bury(self, lane: Lane, seq: int, code: str, detail: str, *, now: datetime) -> None:
        """Keep what the hub will never store, for a person to look at."""
        with self._transaction():
            self._bury(DeadLetter(lane, seq, code, detail), now)

    def quarantine(self, lane: Lane, seq: int, reason: GapReason, *, now: datetime) -> None:
        """Take an entry out of its lane: it becomes a dead letter and a gap."""
        with self._transaction():
            row = self._bury(DeadLetter(lane, seq, reason, ""), now)
            if row is not None:
                self._lanes[lane].remove(row, reason, now)

    def drop_some(self, n_bytes: int, *, now: datetime) -> None:
        """Drop that much, as if the capacity were smaller than what there is."""
        with self._transaction():
            self._trim(self.n_bytes - n_bytes, now)

    def shrink(self) -> None:
        """Give free pages back to the disk, some at a time."""
        with in_our_words():
            self._db.execute("PRAGMA incremental_vacuum(256)").fetchall()
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    # ------------------------------------------------------------ reading

    def pending(
        self, lane: Lane, after_seq: int, *, limit: int, max_bytes: int, now: datetime
    ) -> Run | Gap | None:
        """Return what follows `after_seq`: a run of entries, a gap, or None when nothing does.

        The first entry is returned however large it is; one that is damaged becomes a gap.
        """
        lane_rows = self._lanes[lane]
        with in_our_words():
            rows = lane_rows.rows(after_seq, limit)
            until = rows[0].seq if rows else lane_rows.counts.next_seq
            if until > after_seq + 1:
                return lane_rows.gap(after_seq + 1, until - 1, epoch=self.epoch, now=now)
        if not rows:
            return None
        if not lane_rows.is_intact(rows[0]):
            self.quarantine(lane, rows[0].seq, "unreadable", now=now)
            with in_our_words():
                return lane_rows.gap(rows[0].seq, rows[0].seq, epoch=self.epoch, now=now)
        return Run(rows[0].seq, tuple(_consecutive(lane_rows, rows, max_bytes)))

    def states(self) -> tuple[LaneState, ...]:
        """Return how full each lane is."""
        with in_our_words():
            return tuple(
                LaneState(
                    lane=lane,
                    n_pending=rows.counts.pending.n,
                    oldest_at=rows.oldest_at() if rows.counts.pending.n else None,
                )
                for lane, rows in self._lanes.items()
            )

    def acked_through(self, lane: Lane) -> int:
        """Return the highest seq that the hub is known to have."""
        return self._lanes[lane].counts.acked_through

    def last_seq(self, lane: Lane) -> int:
        """Return the highest seq given so far, 0 before the first."""
        return self._lanes[lane].counts.next_seq - 1

    def dead_letters(self) -> list[DeadLetter]:
        """Return them, oldest first."""
        with in_our_words():
            rows = self._db.execute(
                "SELECT lane, seq, code, detail FROM dead_letters ORDER BY id"
            ).fetchall()
        return msgspec.convert(rows, list[DeadLetter])

    @property
    def n_bytes(self) -> int:
        """Return the size of all entries, taken by the hub or not."""
        return sum(
            rows.counts.pending.n_bytes + rows.counts.retained.n_bytes
            for rows in self._lanes.values()
        )

    def n_lost(self) -> dict[Lane, int]:
        """Return how many entries became gaps since the file was opened."""
        return {lane: rows.counts.n_lost for lane, rows in self._lanes.items()}

    def close(self) -> None:
        self._db.close(force=True)

    # ------------------------------------------------------------ inside a transaction

    def _trim(self, to_bytes: int, now: datetime) -> None:
        if self.n_bytes <= to_bytes:
            return
        for rows in self._lanes.values():
            rows.forget(rows.counts.acked_through)
        for lane in reversed(LANES):
            excess = self.n_bytes - to_bytes
            if excess > 0:
                self._lanes[lane].drop(excess, now)

    def _bury(self, letter: DeadLetter, now: datetime) -> Row | None:
        row = self._lanes[letter.lane].row(letter.seq)
        self._db.execute(
            "INSERT INTO dead_letters (lane, seq, code, detail, at, body)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                letter.lane,
                letter.seq,
                letter.code,
                letter.detail[:MAX_TEXT],
                now.timestamp(),
                row.body if row else None,
            ),
        )
        self._db.execute(
            "DELETE FROM dead_letters WHERE id <= (SELECT max(id) FROM dead_letters) - ?",
            (_MAX_DEAD_LETTERS,),
        )
        return row

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit at the end; on any failure nothing has happened, here or in the file."""
        before = [(rows, rows.counts) for rows in self._lanes.values()]
        try:
            with transaction(self._db):
                yield
                for rows, counts in before:
                    if rows.counts != counts:
                        rows.write_counts()
        except BaseException:
            for rows, counts in before:
                rows.counts = counts
            raise


def _consecutive(lane: LaneRows, rows: Iterable[Row], max_bytes: int) -> Iterator[bytes]:
    """Yield bodies up to the first that is missing, damaged or one too many."""
    size, expected = 0, None
    for row in rows:
        size += len(row.body)
        is_first = expected is None
        if not is_first and (row.seq != expected or size > max_bytes or not lane.is_intact(row)):
            return
        yield row.body
        expected = row.seq + 1
