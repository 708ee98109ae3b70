"""A file that is not used any more: put it aside, and move over what can still be read."""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final, Literal, TypeAlias

import apsw
import msgspec

from edge_agent.spool.lane import MAX_SEQ, digest_of, key_of
from edge_agent.spool.spool import New, Spool
from processing.wire.messages import LANES, Lane

_GROUP: Final = 100
_Row: TypeAlias = tuple[int, float, bytes, bytes]
"""Key, instant, digest, body."""


def put_aside(path: Path, why: str, at: datetime) -> Path:
    """Rename a closed file so that a new one can be made in its place; return where it is now."""
    aside = path.with_name(f"{path.name}.{why}-{at:%Y%m%dT%H%M%S%f}")
    for suffix in ("-wal", ""):
        file = _beside(path, suffix)
        if file.exists():
            file.rename(_beside(aside, suffix))
    _beside(path, "-shm").unlink(missing_ok=True)
    return aside


def delete(path: Path) -> None:
    """Remove a closed file."""
    for suffix in ("", "-wal", "-shm"):
        _beside(path, suffix).unlink(missing_ok=True)


def move_over(path: Path, spool: Spool, taken: Mapping[Lane, int], *, now: datetime) -> int:
    """Append what the hub has not taken of a file put aside; return how many entries.

    It has taken what the file says, and what `taken` says beyond that.
    """
    entries = intact_entries(path, taken)
    n_moved = 0
    while group := list(islice(entries, _GROUP)):
        n_moved += len(spool.append(group, now=now))
    return n_moved


def intact_entries(path: Path, taken: Mapping[Lane, int]) -> Iterator[New]:
    """Yield what the hub has not taken and whose digest is right, lane by lane, oldest first."""
    try:
        db = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    except apsw.Error:
        return
    try:
        for lane in LANES:
            through = max(_acked_through(db, lane), taken.get(lane, 0))
            end = key_of(lane, MAX_SEQ)
            for key, at, digest, body in _readable(db, key_of(lane, through), end):
                if digest == digest_of(key, at, body):
                    yield New(lane, datetime.fromtimestamp(at, UTC), body)
    finally:
        db.close(force=True)


def _acked_through(db: apsw.Connection, lane: Lane) -> int:
    try:
        row = db.execute(
            "SELECT acked_through FROM lanes WHERE lane = ?", (LANES.index(lane),)
        ).fetchone()
    except apsw.Error:
        return 0
    return int(row[0]) if row and isinstance(row[0], int) else 0


def _readable(db: apsw.Connection, after: int, end: int) -> Iterator[_Row]:
    """Yield rows of the keys between, up to a page of rubbish, and again from behind it."""
    try:
        for row in _select(db, after, end, "ASC"):
            yield row
            after = row[0]
    except apsw.Error:
        behind: list[_Row] = []
        with contextlib.suppress(apsw.Error):
            behind.extend(_select(db, after, end, "DESC"))
        yield from reversed(behind)


def _select(
    db: apsw.Connection, after: int, end: int, order: Literal["ASC", "DESC"]
) -> Iterator[_Row]:
    query = "SELECT key, at, digest, body FROM entries WHERE key > ? AND key < ? ORDER BY key "
    for row in db.execute(query + order, (after, end)):
        with contextlib.suppress(msgspec.ValidationError):
            yield msgspec.convert(row, _Row)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
