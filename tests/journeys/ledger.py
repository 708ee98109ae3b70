"""What the agent says it made, against what the hub's table holds."""

import hashlib
import sqlite3
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

import psycopg

from tests.journeys.processes import Hub


class Key(NamedTuple):
    """A result's place in the outbox."""

    epoch: int
    seq: int


class Row(NamedTuple):
    """A result as the table has it."""

    key: Key
    camera_id: UUID
    captured_at: datetime
    digest: str


@dataclass(frozen=True)
class Books:
    """The ledger and the table, side by side."""

    made: dict[Key, str]
    """Digest of what the agent saw committed to its outbox."""
    intended: set[str]
    stored: list[Row]

    @property
    def lost(self) -> set[Key]:
        return set(self.made) - {row.key for row in self.stored}

    @property
    def doubled(self) -> set[Key]:
        counts = Counter(row.key for row in self.stored)
        return {key for key, n in counts.items() if n > 1}

    @property
    def altered(self) -> list[Row]:
        return [row for row in self.stored if self.made.get(row.key, row.digest) != row.digest]

    @property
    def invented(self) -> list[Row]:
        return [row for row in self.stored if row.digest not in self.intended]


def read_books(ledger: Path, hub: Hub) -> Books:
    """Read both; the hub may be running."""
    made, intended = {}, set()
    whole_lines = ledger.read_text().rpartition("\n")[0].splitlines()  # it may be writing one
    for line in whole_lines:
        kind, *fields = line.split()
        if kind == "made":
            made[Key(int(fields[0]), int(fields[2]))] = fields[-1]
        else:
            intended.add(fields[-1])
    return Books(made=made, intended=intended, stored=stored_rows(hub))


def n_stored(hub: Hub) -> int:
    """Return how many rows the results table has."""
    return int(_query(hub, "SELECT count(*) FROM results_result")[0][0])


def comings_and_goings(hub: Hub) -> int:
    """Return how often people were told that an agent is online, or offline."""
    kinds = "('agent_online', 'agent_offline')"
    return int(_query(hub, f"SELECT count(*) FROM events_event WHERE kind IN {kinds}")[0][0])


def stored_rows(hub: Hub) -> list[Row]:
    """Return the results table."""
    rows = _query(hub, "SELECT epoch, seq, camera_id, captured_at, detections FROM results_result")
    return [
        Row(
            Key(epoch, seq),
            camera if isinstance(camera, UUID) else UUID(camera),
            at if isinstance(at, datetime) else datetime.fromisoformat(at),
            hashlib.sha256(detections).hexdigest()[:32],
        )
        for epoch, seq, camera, at, detections in rows
    ]


def _query(hub: Hub, query: LiteralString) -> list[tuple[Any, ...]]:
    if hub.database_url.startswith("sqlite"):
        path = hub.database_url.removeprefix("sqlite:///")
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()
    with psycopg.connect(hub.database_url) as postgres:
        return postgres.execute(query).fetchall()
