"""The SQLite file itself: its form, how it is opened, and what its errors mean to us."""

import os
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from edge_agent.spool.log_check import is_damaged_inside
from processing.wire.messages import LANES

_FORMAT: Final = 1
_MAX_MARK: Final = 2**31 - 2
_PRAGMAS: Final = (
    "auto_vacuum = INCREMENTAL",
    "journal_mode = WAL",
    "synchronous = FULL",
    "journal_size_limit = 4194304",
    "cell_size_check = ON",
)
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS about (
    id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL, epoch INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS lanes (
    lane INTEGER PRIMARY KEY, next_seq INTEGER NOT NULL, acked_through INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS entries (
    key INTEGER PRIMARY KEY, at REAL NOT NULL, digest BLOB NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS gaps (
    lane INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    reason TEXT NOT NULL, noticed_at REAL NOT NULL, PRIMARY KEY (lane, first_seq)
);
CREATE TABLE IF NOT EXISTS dead_letters (
    id INTEGER PRIMARY KEY, lane TEXT NOT NULL, seq INTEGER NOT NULL, code TEXT NOT NULL,
    detail TEXT NOT NULL, at REAL NOT NULL, body BLOB
);
"""


class SpoolDamaged(Exception):
    """The file cannot be trusted any more: put it aside and begin a new one."""


class SpoolRefused(Exception):
    """Nothing was written: try again later. The text says why."""


class DiskFull(SpoolRefused):
    """There is no room left."""


@contextmanager
def in_our_words() -> Iterator[None]:
    """Turn SQLite's errors into the three that a caller decides upon."""
    try:
        yield
    except apsw.FullError as error:
        raise DiskFull("the disk is full") from error
    except (
        apsw.CorruptError,
        apsw.NotADBError,
        apsw.FormatError,
        apsw.ConstraintError,  # a number that is taken already
    ) as error:
        raise SpoolDamaged(str(error)) from error
    except apsw.Error as error:
        raise SpoolRefused(str(error)) from error


def open_database(path: Path) -> tuple[apsw.Connection, int]:
    """Open or make the file; return the connection and the file's epoch.

    Raise `SpoolDamaged` or `SpoolRefused`.
    """
    if is_damaged_inside(path.with_name(f"{path.name}-wal")):
        raise SpoolDamaged("its log is damaged in the middle")
    with in_our_words():
        db = apsw.Connection(str(path))
        try:
            return db, _prepare(db)
        except BaseException as error:
            db.close(force=True)
            if isinstance(error, apsw.SQLError):
                raise SpoolDamaged(f"it is of another form: {error}") from error
            if isinstance(error, apsw.ReadOnlyError) and os.access(path, os.W_OK):
                raise SpoolDamaged("it says that it is of a newer SQLite") from error
            raise


@contextmanager
def transaction(db: apsw.Connection) -> Iterator[None]:
    """Commit at the end, or leave the file as it was."""
    with in_our_words():
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            if not db.get_autocommit():  # a full disk has ended the transaction by itself
                db.execute("ROLLBACK")
            raise


def _prepare(db: apsw.Connection) -> int:
    db.set_busy_timeout(2000)
    for pragma in _PRAGMAS:
        db.execute(f"PRAGMA {pragma}").fetchall()
    verdict = db.execute("PRAGMA quick_check(1)").fetchall()
    if verdict != [("ok",)]:
        raise SpoolDamaged(str(verdict[0][0]))
    with transaction(db):
        db.execute(_SCHEMA)
        db.execute(
            "INSERT OR IGNORE INTO about VALUES (1, ?, ?)",
            (_FORMAT, 1 + secrets.randbelow(2**53 - 1)),
        )
        db.executemany(
            "INSERT OR IGNORE INTO lanes VALUES (?, 1, 0)", [(rank,) for rank in range(len(LANES))]
        )
    row = db.execute("SELECT format, epoch FROM about").fetchone()
    if row is None or row[0] != _FORMAT:
        raise SpoolDamaged("it is of another version of this program")
    epoch = int(row[1])
    _check_epoch(db, epoch)
    return epoch


def _check_epoch(db: apsw.Connection, epoch: int) -> None:
    """Compare the epoch with what the file's header says of it; a wrong one would repeat all."""
    mark = 1 + zlib.crc32(b"%d" % epoch) % _MAX_MARK
    (said,) = db.execute("PRAGMA user_version").fetchall()[0]
    if said == 0:  # a new file, or one from before there was a mark
        db.execute(f"PRAGMA user_version = {mark}")
    elif said != mark:
        raise SpoolDamaged("its epoch is not the one that it was made with")
