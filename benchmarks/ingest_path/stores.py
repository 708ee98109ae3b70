"""Databases of a benchmark's own, and how fast rows go into one with nothing around."""

import sqlite3
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

import psycopg

from benchmarks.ingest_path.traffic import Tables, make_frames, make_results
from processing.wire.packed import RECORD

PER_COMMIT: Final = 2_000
_COLUMNS: Final = (
    "organization_id", "agent_id", "camera_id", "bundle_id", "epoch", "seq",
    "captured_at", "received_at", "latency_ms", "n_detections", "detections",
)  # fmt: skip

Row: TypeAlias = tuple[UUID, UUID, UUID, UUID, int, int, datetime, datetime, float, int, bytes]


@dataclass(frozen=True)
class Store:
    """An empty folder and an empty database."""

    folder: Path
    database_url: str

    @property
    def environment(self) -> dict[str, str]:
        return {"FARWATCH_DATA_DIR": str(self.folder), "DATABASE_URL": self.database_url}

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def path(self) -> str:
        return self.database_url.removeprefix("sqlite:///")


@contextmanager
def empty_store(server_url: str) -> Iterator[Store]:
    """Yield a store: SQLite for an empty URL, else a new database of that PostgreSQL server."""
    with tempfile.TemporaryDirectory(prefix="farwatch-ingest-") as name:
        folder = Path(name)
        if not server_url:
            yield Store(folder, f"sqlite:///{folder / 'hub.sqlite3'}")
            return
        database = f"farwatch_{uuid.uuid4().hex[:12]}"
        with closing(psycopg.connect(server_url, autocommit=True)) as server:
            server.execute(f"CREATE DATABASE {database}".encode())
            try:
                yield Store(folder, f"{server_url.rsplit('/', 1)[0]}/{database}")
            finally:
                server.execute(f"DROP DATABASE {database} WITH (FORCE)".encode())


class Rows(NamedTuple):
    """How many results a table has, and how many of them are different ones."""

    n_all: int
    n_different: int


def count_rows(store: Store) -> Rows:
    query = (
        "SELECT count(*), (SELECT count(*) FROM (SELECT DISTINCT agent_id, epoch, seq"
        " FROM results_result) AS one_each) FROM results_result"
    )
    if store.is_sqlite:
        with closing(sqlite3.connect(store.path, timeout=20)) as file:
            row = file.execute(query).fetchone()
    else:
        with closing(psycopg.connect(store.database_url)) as server:
            row = server.execute(query.encode()).fetchone()
    return Rows(int(row[0]), int(row[1]))


def insert_per_s(store: Store, tables: Tables, *, epoch: int, begun_at: datetime, n: int) -> float:
    """Return rows a second of the plainest bulk insert of the same rows into the same table."""
    agent = tables.agents[0]
    results = list(make_results(agent.camera_id, make_frames(), begun_at, n))
    rows: list[Row] = [
        (
            tables.organization_id, agent.agent_id, agent.camera_id, tables.bundle_id,
            epoch, seq, result.captured_at, begun_at, result.latency_ms,
            len(result.detections) // RECORD.size, result.detections,
        )
        for seq, result in enumerate(results, 1)
    ]  # fmt: skip
    chunks = [rows[first : first + PER_COMMIT] for first in range(0, n, PER_COMMIT)]
    return n / (_executemany_s(store, chunks) if store.is_sqlite else _copy_s(store, chunks))


def _executemany_s(store: Store, chunks: list[list[Row]]) -> float:
    """Return the seconds of `executemany`, one commit a chunk, as durable as the hub's."""
    plain = [[_as_sqlite(row) for row in chunk] for chunk in chunks]
    marks = ", ".join("?" * len(_COLUMNS))
    insert = f"INSERT INTO results_result ({', '.join(_COLUMNS)}) VALUES ({marks})"  # noqa: S608 - constants only
    with closing(sqlite3.connect(store.path, timeout=20)) as file:
        file.execute("PRAGMA synchronous=FULL")
        file.execute("PRAGMA cache_size=-65536")
        begun = time.perf_counter()
        for chunk in plain:
            with file:
                file.executemany(insert, chunk)
        return time.perf_counter() - begun


def _as_sqlite(row: Row) -> tuple[object, ...]:
    """Return a row as Django keeps it there."""
    ids, numbers, instants, rest = row[:4], row[4:6], row[6:8], row[8:]
    plain_instants = (str(instant.replace(tzinfo=None)) for instant in instants)
    return (*(each.hex for each in ids), *numbers, *plain_instants, *rest)


def _copy_s(store: Store, chunks: list[list[Row]]) -> float:
    """Return the seconds of binary COPY, one commit a chunk."""
    copy = f"COPY results_result ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
    types = ["uuid"] * 4 + ["int8"] * 2 + ["timestamptz"] * 2 + ["float8", "int2", "bytea"]
    with closing(psycopg.connect(store.database_url)) as server:
        begun = time.perf_counter()
        for chunk in chunks:
            with server.cursor() as cursor, cursor.copy(copy.encode()) as stream:
                stream.set_types(types)
                for row in chunk:
                    stream.write_row(row)
            server.commit()
        return time.perf_counter() - begun
