"""SQLite's part of a backup: a copy of the file as it was at one instant, while others write."""

import gzip
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from webapp.common.backup.archive import BadBackup, PartReader, Table, Tell, Writer

PART: Final = "database/hub.sqlite3.gz"
_PAGES: Final = 2000
_BUSY_S: Final = 20.0


class InUse(Exception):
    """Another program has the database open."""


def save_sqlite(database: Path, writer: Writer, tell: Tell, *, aside: Path) -> tuple[Table, ...]:
    """Add the database to a backup; return its tables. `aside` is a folder with room for it."""
    copy = aside / "copy.sqlite3"
    _copy(database, copy)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # one file
        tables = _tables(connection)
    with copy.open("rb") as plain, (aside / "copy.gz").open("w+b") as file:
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0) as packed:
            while chunk := plain.read(1024 * 1024):
                packed.write(chunk)
                tell(len(chunk))
        size = file.tell()
        file.seek(0)
        writer.add(PART, file, size, lambda _: None)
    return tables


def load_sqlite(database: Path, packed: PartReader, tables: tuple[Table, ...]) -> None:
    """Put the database of a backup in the place of what is there; raise `BadBackup`, `InUse`."""
    database.parent.mkdir(parents=True, exist_ok=True)
    aside = database.with_name(f".{database.name}.restored")
    try:
        with gzip.GzipFile(fileobj=packed) as plain, aside.open("wb") as file:
            shutil.copyfileobj(plain, file, 1024 * 1024)
        with closing(sqlite3.connect(aside)) as connection:
            if connection.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                raise BadBackup("its database is damaged")
            if _tables(connection) != tables:
                raise BadBackup("its database has not the rows that its manifest counts")
        if database.exists():
            refuse_in_use(database)
        for suffix in ("-wal", "-shm"):
            database.with_name(database.name + suffix).unlink(missing_ok=True)
        aside.replace(database)
    finally:
        aside.unlink(missing_ok=True)


def refuse_in_use(database: Path) -> None:
    """Raise `InUse` when another program has the database open."""
    with closing(sqlite3.connect(database, timeout=1.0)) as connection:
        try:
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            raise InUse(str(error)) from error


def _copy(database: Path, copy: Path) -> None:
    """Copy the file as it is at the first read; writers go on meanwhile."""
    with (
        closing(sqlite3.connect(database, timeout=_BUSY_S, isolation_level=None)) as source,
        closing(sqlite3.connect(copy)) as target,
        _one_instant(source),
    ):
        source.backup(target, pages=_PAGES)


@contextmanager
def _one_instant(source: sqlite3.Connection) -> Iterator[None]:
    """Hold one view of the database; without it the copy begins anew with every write."""
    source.execute("PRAGMA wal_autocheckpoint=0")
    source.execute("BEGIN")
    source.execute("SELECT count(*) FROM sqlite_master").fetchone()
    try:
        yield
    finally:
        source.execute("ROLLBACK")


def _tables(connection: sqlite3.Connection) -> tuple[Table, ...]:
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        " ORDER BY name"
    ).fetchall()
    return tuple(
        Table(name, connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])  # noqa: S608 - its own name
        for (name,) in names
    )
