"""Databases of a benchmark's own, and what is in them afterwards."""

import sqlite3
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psycopg


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
    """Return how many results there are."""
    return Rows(
        *_ask(
            store,
            "SELECT count(*), (SELECT count(*) FROM (SELECT DISTINCT agent_id, epoch, seq"
            " FROM results_result) AS one_each) FROM results_result",
        )
    )


def count_alerts(store: Store) -> int:
    """Return how many events agents raised as alerts."""
    return _ask(store, "SELECT count(*) FROM events_event WHERE lane = 'alerts'")[0]


def _ask(store: Store, query: str) -> tuple[int, ...]:
    if store.is_sqlite:
        with closing(sqlite3.connect(store.path, timeout=20)) as file:
            row = file.execute(query).fetchone()
    else:
        with closing(psycopg.connect(store.database_url)) as server:
            row = server.execute(query.encode()).fetchone()
    return tuple(map(int, row))
