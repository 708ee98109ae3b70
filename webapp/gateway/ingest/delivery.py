"""What goes into the ingest and what comes out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from processing.wire.messages import (
    Ack,
    ClipMissing,
    EventBatch,
    Gap,
    Lane,
    ResultBatch,
    SampleBatch,
    StateReport,
    ThumbnailBatch,
)
from webapp.gateway.handshake import Session
from webapp.gateway.refusal import Refusal
from webapp.results.queries import LaneKey

LaneMessage: TypeAlias = ResultBatch | EventBatch | SampleBatch | ThumbnailBatch | Gap
Unnumbered: TypeAlias = StateReport | ClipMissing
"""Outside the lanes: not acknowledged, not sent again."""
Storable: TypeAlias = LaneMessage | Unnumbered


@dataclass(frozen=True, slots=True)
class Stored:
    """Committed."""

    ack: Ack | None
    """None for what has no number: nobody waits for it."""
    n_results: int = 0
    """New ones."""


Outcome: TypeAlias = Stored | Refusal


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message of an agent on its way into the database."""

    session: Session
    message: Storable
    received_at: datetime
    n_bytes: int
    """Of the message: what it costs to keep it waiting."""
    done: Callable[[Outcome], None]
    """Called on the event loop, once, after the commit."""

    @property
    def n_entries(self) -> int:
        """Return how much work it is."""
        return 1 if isinstance(self.message, Gap | Unnumbered) else len(self.message.entries)


def lane_of(message: LaneMessage) -> Lane:
    match message:
        case ResultBatch():
            return "results"
        case SampleBatch() | ThumbnailBatch():
            return "media"
        case EventBatch() | Gap():
            return message.lane


def lane_key(session: Session, message: LaneMessage) -> LaneKey:
    return LaneKey(session.agent_id, message.epoch, lane_of(message))


def last_seq(message: LaneMessage) -> int:
    if isinstance(message, Gap):
        return message.last_seq
    return message.first_seq + len(message.entries) - 1
