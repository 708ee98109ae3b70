"""What a rule has to say of a frame."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from processing.wire.scene import Rule

Phase = Literal["once", "start", "update", "end"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One word of one event: that it happened, begins, goes on or is over."""

    event_id: UUID
    """The same in every word of an event."""
    rule: Rule
    phase: Phase
    at: datetime
    """Of an end: when it was last so, which is some seconds before it is said."""
    started_at: datetime
    """When the event's first word was said."""
    labels: tuple[str, ...]
    """The classes of `tracks`, in order."""
    tracks: tuple[int, ...]
    """What is in it now, 64 at most; when it ends, what has been in it, the first 64."""
    title: str
    detail: str
    """The reason, in words and figures."""
    best: int | None
    """Where the best detection is in the frame's, if this frame shows any of it."""
    score: float
    """The best that its tracks have scored so far, 0..1; 0 where no detection is part of it."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """This frame shows an event better than those before it."""

    event_id: UUID
    best: int
    """Where the detection is in the frame's."""
    score: float
    """Of that detection, 0..1."""
