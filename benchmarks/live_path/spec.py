"""What the programs of the live benchmark tell one another, as JSON on a line."""

from statistics import median
from uuid import UUID

import msgspec

FPS = 15.0


class Tables(msgspec.Struct, frozen=True):
    """What the hub under test has before anything arrives."""

    hub_id: UUID
    agent_id: UUID
    camera_ids: list[UUID]
    session_key: str


class Cameras(msgspec.Struct, frozen=True):
    """What an agent is to send, and where."""

    port: int
    tables: Tables
    video: str
    folder: str
    """Of the agent's identity and outbox."""


class Viewers(msgspec.Struct, frozen=True):
    """What viewers are to look at, and for how long."""

    port: int
    paths: list[str]
    """One socket each."""
    session_key: str
    warm_s: float
    seconds: float
    n_stalled: int = 0
    """More of them, which look at the same and read nothing."""


class Watched(msgspec.Struct, frozen=True):
    """What viewers got to see."""

    n_expected: int
    n_pictures: int
    latencies_ms: list[float]
    """From capture to the viewer, in order of size."""


def percentile(ordered: list[float], share: float) -> float:
    """Return the value below which this share of the ordered ones lies; NaN of none."""
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def middle(values: list[float]) -> float:
    """Return the median; NaN of none."""
    return median(values) if values else float("nan")
