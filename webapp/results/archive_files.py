"""One old day of an organization as a Parquet file, written and read by DuckDB.

Each use has a DuckDB of its own: in memory, one thread, little memory, nothing but its own files.
"""

import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import duckdb

_MEMORY: Final = "256MB"
_GROUP: Final = 20_480
"""Rows of a group: what a query decodes at least for one row of it."""
_COLUMNS: Final = {
    "id": "BIGINT",
    "agent": "UUID",
    "camera": "UUID",
    "bundle": "UUID",
    "epoch": "BIGINT",
    "seq": "BIGINT",
    "captured_at": "BIGINT",
    "received_at": "BIGINT",
    "latency_ms": "DOUBLE",
    "n_detections": "USMALLINT",
    "detections": "VARCHAR",
}
"""Of the CSV: instants in microseconds since 1970, detections in hex."""
_FRESH: Final = """
CREATE VIEW fresh AS SELECT * REPLACE (
    make_timestamp(captured_at) AS captured_at, make_timestamp(received_at) AS received_at,
    unhex(coalesce(detections, '')) AS detections
) FROM read_csv($csv, header = false, auto_detect = false, delim = ',', quote = '"', escape = '"',
    columns = $columns)
"""
_WRITE: Final = f"""
COPY (SELECT * FROM {{rows}} WHERE camera IN (SELECT camera FROM cameras)
    ORDER BY camera, captured_at, id)
TO $target (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_GROUP})
"""  # noqa: S608 - constants only
_DETECTIONS: Final = {
    "captured_at": "TIMESTAMPTZ",
    "camera": "UUID",
    "label": "VARCHAR",
    "score": "FLOAT",
    "x0": "FLOAT",
    "y0": "FLOAT",
    "x1": "FLOAT",
    "y1": "FLOAT",
    "track": "UINTEGER",
    "bundle": "UUID",
    "result": "BIGINT",
}
_TABLE: Final = """
COPY (FROM read_csv($csv, header = true, auto_detect = false, delim = ',', quote = '"',
    escape = '"', columns = $columns))
TO $target (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)
"""
_FOLDED: Final = "(FROM fresh UNION ALL BY NAME FROM read_parquet($old) ANTI JOIN fresh USING (id))"
_READ: Final = """
SELECT id, agent, camera, bundle, epoch, seq, epoch_us(captured_at), epoch_us(received_at),
    latency_ms, n_detections, detections
FROM read_parquet($file)
WHERE camera IN (SELECT unnest($cameras::UUID[]))
    AND captured_at >= make_timestamp($since_us) AND captured_at <= make_timestamp($until_us)
    AND (captured_at > make_timestamp($since_us) OR id >= $since_id)
    AND (captured_at < make_timestamp($until_us) OR id < $until_id)
    AND ($bundle IS NULL OR bundle = $bundle::UUID) AND ($id IS NULL OR id = $id)
    AND n_detections >= $n_detections
ORDER BY captured_at {direction}, id {direction} LIMIT $n_rows
"""


class Unreadable(Exception):
    """The file is not what was written; the text says what is wrong with it."""


class TooSlow(Exception):
    """Reading took longer than it may."""


@dataclass(frozen=True)
class Written:
    """What a file holds."""

    n_rows: int
    n_bytes: int
    sha256: str
    first_id: int
    last_id: int


@dataclass(frozen=True)
class Wanted:
    """Which rows of a file: those in [since, until), by (microseconds since 1970, id)."""

    cameras: tuple[UUID, ...]
    since: tuple[int, int] = (0, 0)
    until: tuple[int, int] = (0, 0)
    bundle: UUID | None = None
    id: int | None = None
    n_detections: int = 0
    """At least so many."""


@contextmanager
def _opened(spill: str = "") -> Iterator[duckdb.DuckDBPyConnection]:
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 1,
        "memory_limit": _MEMORY,
        "temp_directory": spill,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    with duckdb.connect(":memory:", config=config) as database:
        yield database


def _confine(database: duckdb.DuckDBPyConnection, *files: Path) -> None:
    names = ", ".join(_quoted(str(file)) for file in files)
    database.execute(f"SET allowed_paths = [{names}]")
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _struct(columns: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}: '{kind}'" for name, kind in columns.items()) + "}"


def write_file(
    target: Path, csv: Path, *, old: Path | None, cameras: list[UUID], spill: Path
) -> Written:
    """Write the rows of `csv`, and those of `old` that it lacks, of these cameras.

    `target` is flushed to disk. Raise `Unreadable` when `old` cannot be read.
    """
    columns = _struct(_COLUMNS)
    rows = "fresh" if old is None else _FOLDED.replace("$old", _quoted(str(old)))
    try:
        with _opened(str(spill)) as database:
            # DuckDB has no parameters in views and COPY.
            view = _FRESH.replace("$csv", _quoted(str(csv))).replace("$columns", columns)
            database.execute(view)
            database.execute(
                "CREATE TABLE cameras AS SELECT unnest($cameras::UUID[]) AS camera",
                {"cameras": [str(camera) for camera in cameras]},
            )
            database.execute(_WRITE.format(rows=rows).replace("$target", _quoted(str(target))))
            held = database.execute(
                "SELECT count(*), coalesce(min(id), 0), coalesce(max(id), 0)"
                " FROM read_parquet($file)",
                {"file": str(target)},
            ).fetchone()
    except duckdb.Error as error:
        raise Unreadable(str(error).splitlines()[0]) from error
    assert held is not None
    with target.open("rb") as file:
        os.fsync(file.fileno())
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Written(held[0], target.stat().st_size, sha256, held[1], held[2])


def write_table(
    target: Path, csv: Path, *, columns: Mapping[str, str] = MappingProxyType(_DETECTIONS)
) -> None:
    """Write what an export has in `csv`, with a head, for people with a notebook."""
    with _opened(str(target.parent)) as database:
        query = _TABLE.replace("$csv", _quoted(str(csv))).replace("$columns", _struct(columns))
        database.execute(query.replace("$target", _quoted(str(target))))


def read_file(
    file: Path, wanted: Wanted, *, n_rows: int, is_newest_first: bool, within_s: float
) -> list[tuple[Any, ...]]:
    """Return the first rows, at most `n_rows`, as columns of `_READ`.

    Raise `Unreadable` for a file that is no Parquet of ours, `TooSlow` after `within_s`.
    """
    query = _READ.format(direction="DESC" if is_newest_first else "ASC")
    values = {
        "file": str(file),
        "cameras": [str(camera) for camera in wanted.cameras],
        "since_us": wanted.since[0],
        "since_id": wanted.since[1],
        "until_us": wanted.until[0],
        "until_id": wanted.until[1],
        "bundle": str(wanted.bundle) if wanted.bundle is not None else None,
        "id": wanted.id,
        "n_detections": wanted.n_detections,
        "n_rows": n_rows,
    }
    try:
        with _opened() as database:
            _confine(database, file)
            stop = threading.Timer(max(within_s, 0.0), database.interrupt)
            stop.daemon = True
            stop.start()
            try:
                return database.execute(query, values).fetchall()
            finally:
                stop.cancel()
                stop.join()
    except (duckdb.InterruptException, duckdb.OutOfMemoryException) as error:
        raise TooSlow from error
    except duckdb.Error as error:
        raise Unreadable(str(error).splitlines()[0]) from error
