"""The ceiling: the same rows into the identical table with nothing around."""

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

import psutil
import psycopg

from benchmarks.ingest_path.cpu import Cpu, cpu_s
from benchmarks.ingest_path.stores import Store
from benchmarks.ingest_path.traffic import Tables, make_frames, make_results
from processing.wire.packed import RECORD

PER_COMMIT: Final = 2_000
_COLUMNS: Final = (
    "organization_id", "agent_id", "camera_id", "bundle_id", "epoch", "seq",
    "captured_at", "received_at", "latency_ms", "n_detections", "detections",
)  # fmt: skip

Row: TypeAlias = tuple[UUID, UUID, UUID, UUID, int, int, datetime, datetime, float, int, bytes]


@dataclass(frozen=True)
class Bare:
    """What so many rows took."""

    n_rows: int
    seconds: float
    cpu: Cpu


def insert_bare(store: Store, tables: Tables, *, epoch: int, begun_at: datetime, n: int) -> Bare:
    """Insert `n` results of one agent: `executemany` on SQLite, binary COPY on PostgreSQL."""
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
    return _executemany(store, chunks) if store.is_sqlite else _copy(store, chunks)


def _executemany(store: Store, chunks: list[list[Row]]) -> Bare:
    """One commit a chunk, as durable as the hub's."""
    plain = [[_as_sqlite(row) for row in chunk] for chunk in chunks]
    marks = ", ".join("?" * len(_COLUMNS))
    insert = f"INSERT INTO results_result ({', '.join(_COLUMNS)}) VALUES ({marks})"  # noqa: S608 - constants only
    with closing(sqlite3.connect(store.path, timeout=20)) as file:
        file.execute("PRAGMA synchronous=FULL")
        file.execute("PRAGMA cache_size=-65536")
        begun, used_s = time.perf_counter(), time.thread_time()
        for chunk in plain:
            with file:
                file.executemany(insert, chunk)
        cpu = Cpu(time.thread_time() - used_s)
        return Bare(sum(map(len, chunks)), time.perf_counter() - begun, cpu)


def _as_sqlite(row: Row) -> tuple[object, ...]:
    """Return a row as Django keeps it there."""
    ids, numbers, instants, rest = row[:4], row[4:6], row[6:8], row[8:]
    plain_instants = (str(instant.replace(tzinfo=None)) for instant in instants)
    return (*(each.hex for each in ids), *numbers, *plain_instants, *rest)


def _copy(store: Store, chunks: list[list[Row]]) -> Bare:
    """Binary COPY, one commit a chunk."""
    copy = f"COPY results_result ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT BINARY)"
    types = ["uuid"] * 4 + ["int8"] * 2 + ["timestamptz"] * 2 + ["float8", "int2", "bytea"]
    with closing(psycopg.connect(store.database_url)) as server:
        backend = psutil.Process(server.info.backend_pid)
        begun, used_s, backend_s = time.perf_counter(), time.thread_time(), cpu_s(backend)
        for chunk in chunks:
            with server.cursor() as cursor, cursor.copy(copy.encode()) as stream:
                stream.set_types(types)
                for row in chunk:
                    stream.write_row(row)
            server.commit()
        cpu = Cpu(time.thread_time() - used_s, cpu_s(backend) - backend_s)
        return Bare(sum(map(len, chunks)), time.perf_counter() - begun, cpu)
