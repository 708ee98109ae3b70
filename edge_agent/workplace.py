"""What all cameras that share an engine share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias
from uuid import UUID

from edge_agent.backlog import Entry
from edge_agent.capture import Surroundings
from edge_agent.clips.recorder import ClipRecorder
from edge_agent.darkroom import Darkroom
from edge_agent.duty import Duty
from edge_agent.embedder import Embedder
from edge_agent.health import Health
from edge_agent.live import LiveDesk
from edge_agent.overflow.cloud import Cloud, NoCloud
from processing.wire.camera import DesiredCamera
from processing.wire.messages import ClipMade

RecorderMaker: TypeAlias = Callable[
    [DesiredCamera, Callable[[UUID, ClipMade], None]], ClipRecorder | None
]
"""Returns what makes clips of a camera's events and tells of each; None if none are wanted."""


class Answering(Protocol):
    """One camera, as seen by the thread that deals with answers."""

    def settle(self) -> None:
        """Deal with every answer whose turn has come."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """The same for all of them."""

    around: Surroundings
    health: Health
    duty: Duty
    ids: Iterator[int]
    live: LiveDesk
    darkroom: Darkroom
    embedder: Embedder
    make_recorder: RecorderMaker
    append: Callable[[Entry], None]
    answered: Callable[[Answering], None]
    """Tells the thread that calls `settle` that there is something to settle."""
    wake: Callable[[], None]
    """Tells the scheduler that a frame waits."""
    is_patient: bool = False
    """Cameras are recordings, and wait for the engine instead of losing frames."""
    cloud: Cloud = field(default_factory=NoCloud)
