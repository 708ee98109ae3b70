"""Every row of the hub's table against the agent's ledger: camera, instant, content, number."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from tests.journeys.ledger import Key, Row, stored_rows
from tests.journeys.processes import Hub

_PRINT_LOST: Final = """
import json
from webapp.results.models import LostRange
print(json.dumps(list(LostRange.objects.values_list("epoch", "lane", "first_seq", "last_seq"))))
"""


class Lost(msgspec.Struct, array_like=True, frozen=True):
    """A gap that the hub knows of."""

    epoch: int
    lane: str
    first_seq: int
    last_seq: int


class Frame(NamedTuple):
    """What a result says of which frame."""

    camera_id: UUID
    captured_at: datetime
    digest: str


@dataclass(frozen=True)
class Reckoning:
    """The ledger and the table, side by side."""

    intended: Counter[Frame]
    made: dict[Key, Frame]
    stored: list[tuple[Key, Frame]]

    @property
    def lost(self) -> set[Key]:
        """Numbers that were on the agent's disk and are not in the table."""
        return set(self.made) - {key for key, _ in self.stored}

    @property
    def doubled(self) -> list[Frame]:
        """Frames in the table more often than the agent meant to keep them."""
        return list((Counter(frame for _, frame in self.stored) - self.intended).elements())

    @property
    def altered(self) -> list[Key]:
        """Rows that are not what the agent stored under that number, or never meant to."""
        return [
            key
            for key, frame in self.stored
            if self.made.get(key, frame) != frame or frame not in self.intended
        ]

    @property
    def n_by_camera(self) -> Counter[UUID]:
        return Counter(frame.camera_id for _, frame in self.stored)


def read_ledger(ledger: Path) -> tuple[Counter[Frame], dict[Key, Frame]]:
    """Return what the agent meant to store, and what it saw on its disk; it may be at work."""
    intended: Counter[Frame] = Counter()
    made: dict[Key, Frame] = {}
    whole_lines = ledger.read_text().rpartition("\n")[0].splitlines() if ledger.exists() else []
    for line in whole_lines:
        kind, *place, camera, at, digest = line.split()
        frame = Frame(UUID(camera), datetime.fromisoformat(at), digest)
        if kind == "intent":
            intended[frame] += 1
        else:
            made[Key(int(place[0]), int(place[2]))] = frame
    return intended, made


def reckon(ledger: Path, hub: Hub) -> Reckoning:
    """Read both; the table first if the agent is at work, or it may be ahead of the ledger."""
    rows = stored_rows(hub)
    intended, made = read_ledger(ledger)
    return Reckoning(intended, made, [(row.key, frame_of(row)) for row in rows])


def lost_ranges(hub: Hub) -> list[Lost]:
    """Return what the hub was told will never come."""
    return msgspec.json.decode(
        hub.manage("shell", "-c", _PRINT_LOST).splitlines()[-1], type=list[Lost]
    )


def frame_of(row: Row) -> Frame:
    """Return what the ledger says of the same result. SQLite's instants have no zone: UTC."""
    at = row.captured_at
    return Frame(row.camera_id, at if at.tzinfo else at.replace(tzinfo=UTC), row.digest)
