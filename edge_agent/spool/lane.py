"""One lane's part of the file: its rows, its numbers, its gaps. Transactions are the caller's."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple, TypeAlias

import apsw

from processing.wire.messages import LANES, Gap, Lane

GapReason: TypeAlias = Literal["outbox_full", "unreadable", "refused"]

_SEQ_BITS: Final = 48
MAX_SEQ: Final = (1 << _SEQ_BITS) - 1
_OVERHEAD_BYTES: Final = 64
"""Of a row beside its body, roughly."""


class Row(NamedTuple):
    """An entry as it lies in the file."""

    seq: int
    at: float
    digest: bytes
    body: bytes


class Size(NamedTuple):
    """So many entries of so many bytes."""

    n: int = 0
    n_bytes: int = 0

    def plus(self, other: "Size") -> "Size":
        return Size(self.n + other.n, self.n_bytes + other.n_bytes)

    def minus(self, other: "Size") -> "Size":
        return Size(self.n - other.n, self.n_bytes - other.n_bytes)


@dataclass(frozen=True, slots=True)
class Counts:
    """Where a lane stands; replaced, never changed, so that a failed transaction can go back."""

    next_seq: int
    acked_through: int
    pending: Size
    retained: Size
    """Taken by the hub, kept in case it comes back from a backup."""
    n_lost: int = 0
    """Entries that became gaps since the file was opened."""


class LaneRows:
    """The rows of one lane."""

    def __init__(self, db: apsw.Connection, lane: Lane) -> None:
        self.lane: Final = lane
        self._db = db
        self._rank = LANES.index(lane)
        row = db.execute(
            "SELECT next_seq, acked_through FROM lanes WHERE lane = ?", (self._rank,)
        ).fetchone()
        next_seq, acked = (int(row[0]), int(row[1])) if row else (1, 0)
        self.counts = Counts(
            next_seq, acked, self._measure(acked, next_seq), self._measure(0, acked)
        )

    # ------------------------------------------------------------ entries

    def insert(self, at: datetime, body: bytes) -> int:
        """Store an entry under the next number and return that."""
        seq, stamp = self.counts.next_seq, at.timestamp()
        key = self._key(seq)
        self._db.execute(
            "INSERT INTO entries (key, at, digest, body) VALUES (?, ?, ?, ?)",
            (key, stamp, digest_of(key, stamp, body), body),
        )
        self._count(next_seq=seq + 1, pending=self.counts.pending.plus(_size(len(body))))
        return seq

    def rows(self, after_seq: int, limit: int) -> list[Row]:
        """Return what is there after `after_seq`, in order; numbers may be missing."""
        found = self._db.execute(
            "SELECT key, at, CAST(digest AS BLOB), CAST(body AS BLOB)"
            " FROM entries WHERE key > ? AND key <= ?"
            " ORDER BY key LIMIT ?",
            (self._key(after_seq), self._key(self.counts.next_seq - 1), limit),
        )
        return [Row(_seq(key), at, digest, body) for key, at, digest, body in found]

    def row(self, seq: int) -> Row | None:
        """Return one entry, if it is there."""
        rows = self.rows(seq - 1, 1)
        return rows[0] if rows and rows[0].seq == seq else None

    def is_intact(self, row: Row) -> bool:
        """Return whether the row is what was stored."""
        return row.digest == digest_of(self._key(row.seq), row.at, row.body)

    def acknowledge(self, through_seq: int) -> None:
        """Move entries from pending to retained."""
        taken = self._measure(self.counts.acked_through, through_seq)
        self._count(
            acked_through=through_seq,
            pending=self.counts.pending.minus(taken),
            retained=self.counts.retained.plus(taken),
        )

    def forget(self, through_seq: int) -> None:
        """Delete retained entries up to a number, and the gaps before what remains."""
        through_seq = min(through_seq, self.counts.acked_through)
        gone = self._measure(0, through_seq)
        self._delete(0, through_seq)
        self._count(retained=self.counts.retained.minus(gone))
        self._db.execute(
            "DELETE FROM gaps WHERE lane = ? AND last_seq <= ?", (self._rank, through_seq)
        )

    def forget_all_but(self, n_bytes: int, *, since: float) -> None:
        """Delete retained entries that are older, and then the oldest beyond `n_bytes`."""
        kept, through = self.counts.retained.n_bytes, 0
        for seq, at, n in self._sizes(0, self.counts.acked_through):
            if kept <= n_bytes and at >= since:
                break
            through, kept = seq, kept - n
        if not self.counts.retained.n:
            through = self.counts.acked_through
        if through:
            self.forget(through)

    def drop(self, n_bytes: int, now: datetime) -> None:
        """Turn the oldest pending entries, of that many bytes together, into a gap."""
        first, last, gone = 0, 0, Size()
        for seq, _, n in self._sizes(self.counts.acked_through, self.counts.next_seq):
            if gone.n_bytes >= n_bytes:
                break
            first, last, gone = first or seq, seq, gone.plus(Size(1, n))
        if last:
            self._delete(first - 1, last)
            self._count(pending=self.counts.pending.minus(gone))
            self.record_gap(first, last, "outbox_full", now)

    def remove(self, row: Row, reason: GapReason, now: datetime) -> None:
        """Turn one entry into a gap."""
        size = _size(len(row.body))
        self._delete(row.seq - 1, row.seq)
        if row.seq <= self.counts.acked_through:
            self._count(retained=self.counts.retained.minus(size))
        else:
            self._count(pending=self.counts.pending.minus(size))
        self.record_gap(row.seq, row.seq, reason, now)

    def oldest_at(self) -> datetime | None:
        """Return when the oldest pending entry was made."""
        sizes = self._sizes(self.counts.acked_through, self.counts.next_seq)
        return next((datetime.fromtimestamp(at, UTC) for _, at, _ in sizes), None)

    # ------------------------------------------------------------ gaps

    def skip(self, n: int, reason: GapReason, now: datetime) -> None:
        """Give the next `n` numbers to entries that are lost already."""
        first = self.counts.next_seq
        self._count(next_seq=first + n)
        self.record_gap(first, first + n - 1, reason, now)

    def record_gap(self, first: int, last: int, reason: GapReason, now: datetime) -> None:
        """Store a gap, or make the one before it longer if that is of the same kind."""
        self.counts = replace(self.counts, n_lost=self.counts.n_lost + last - first + 1)
        grown = self._db.execute(
            "UPDATE gaps SET last_seq = ? WHERE lane = ? AND last_seq = ? AND reason = ?"
            " RETURNING 1",
            (last, self._rank, first - 1, reason),
        ).fetchall()
        if not grown:
            self._db.execute(
                "INSERT OR REPLACE INTO gaps VALUES (?, ?, ?, ?, ?)",
                (self._rank, first, last, reason, now.timestamp()),
            )

    def gap(self, first: int, last: int, *, epoch: int, now: datetime) -> Gap:
        """Return what is known of missing numbers; only the first of several gaps in a row."""
        row = self._db.execute(
            "SELECT first_seq, last_seq, reason, noticed_at FROM gaps"
            " WHERE lane = ? AND last_seq >= ? AND first_seq <= ? ORDER BY first_seq LIMIT 1",
            (self._rank, first, last),
        ).fetchone()
        if row is not None and row[0] <= first:
            last, reason = min(last, row[1]), row[2]
            now = datetime.fromtimestamp(row[3], UTC)
        else:
            # Nobody wrote down why. What a hub took and then forgot was let go in between.
            last = last if row is None else row[0] - 1
            reason = "outbox_full" if first <= self.counts.acked_through else "unreadable"
        return Gap(
            epoch=epoch,
            lane=self.lane,
            first_seq=first,
            last_seq=last,
            reason=reason,
            noticed_at=now,
        )

    # ------------------------------------------------------------ in the file

    def write_counts(self) -> None:
        """Store where the lane stands."""
        self._db.execute(
            "UPDATE lanes SET next_seq = ?, acked_through = ? WHERE lane = ?",
            (self.counts.next_seq, self.counts.acked_through, self._rank),
        )

    def _key(self, seq: int) -> int:
        return key_of(self.lane, seq)

    def _delete(self, after_seq: int, through_seq: int) -> None:
        self._db.execute(
            "DELETE FROM entries WHERE key > ? AND key <= ?",
            (self._key(after_seq), self._key(through_seq)),
        )

    def _measure(self, after_seq: int, through_seq: int) -> Size:
        [(n, total)] = self._db.execute(
            "SELECT count(*), coalesce(sum(length(body)), 0) FROM entries"
            " WHERE key > ? AND key <= ?",
            (self._key(after_seq), self._key(through_seq)),
        )
        return Size(n, total + n * _OVERHEAD_BYTES)

    def _sizes(self, after_seq: int, through_seq: int) -> Iterator[tuple[int, float, int]]:
        """Yield seq, instant and bytes of entries, without reading their bodies."""
        found = self._db.execute(
            "SELECT key, at, length(body) FROM entries WHERE key > ? AND key <= ? ORDER BY key",
            (self._key(after_seq), self._key(through_seq)),
        )
        for key, at, n in found:
            yield _seq(key), float(at), int(n) + _OVERHEAD_BYTES

    def _count(
        self,
        *,
        next_seq: int | None = None,
        acked_through: int | None = None,
        pending: Size | None = None,
        retained: Size | None = None,
    ) -> None:
        old = self.counts
        self.counts = replace(
            old,
            next_seq=old.next_seq if next_seq is None else next_seq,
            acked_through=old.acked_through if acked_through is None else acked_through,
            pending=old.pending if pending is None else pending,
            retained=old.retained if retained is None else retained,
        )


def key_of(lane: Lane, seq: int) -> int:
    """Return the row of an entry: lanes one after another, each in the order of its numbers."""
    return (LANES.index(lane) << _SEQ_BITS) | seq


def digest_of(key: int, at: float, body: bytes) -> bytes:
    """Return the digest (16 bytes) of all that an entry is."""
    return hashlib.sha256(b"%d %r %b" % (key, at, body)).digest()[:16]


def _seq(key: int) -> int:
    return key & MAX_SEQ


def _size(n_bytes: int) -> Size:
    return Size(1, n_bytes + _OVERHEAD_BYTES)
