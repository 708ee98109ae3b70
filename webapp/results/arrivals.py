"""What agents deliver, checked and on its way into the tables."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

import msgspec

from processing.wire.messages import FrameFeatures

Key: TypeAlias = str
"""A UUID, hex without dashes: as SQLite keeps it."""


class NewResult(msgspec.Struct, frozen=True, gc=False):
    """One checked result that is not in the table yet; a struct because there are so many."""

    seq: int
    camera: Key
    bundle: Key
    captured_at: datetime
    """In UTC."""
    latency_ms: float
    detections: bytes
    n_started: tuple[tuple[int, int], ...]
    features: FrameFeatures | None = None
    """For `webapp.monitoring`; of some frames only."""


class NewEntered(msgspec.Struct, frozen=True, gc=False):
    """What of one checked result came into a zone of its camera."""

    camera: Key
    bundle: Key
    captured_at: datetime
    """In UTC."""
    zone: Key
    label: int
    n_tracks: int


@dataclass(frozen=True, slots=True)
class NewResults:
    """Results of one agent that arrived together."""

    organization: Key
    agent: Key
    epoch: int
    received_at: datetime
    results: list[NewResult]
    entered: list[NewEntered] = field(default_factory=list)
    """Of those few results in which something came into a zone."""
