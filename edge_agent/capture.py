"""One camera's capture thread: opens it, offers its frames, and comes back when it is lost."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

import structlog

from edge_agent.backoff import Backoff
from edge_agent.clock import Clock
from edge_agent.health import CameraCondition
from edge_agent.logs import without_credentials
from edge_agent.pace import Pace
from edge_agent.slot import Slot
from edge_agent.sources.feed import FeedMaker
from processing.media.decode import SourceLost
from processing.wire.messages import DesiredCamera, EventRaised

_BACKOFF_BASE_S: Final = 0.25
_BACKOFF_CAP_S: Final = 30.0
_STABLE_S: Final = 5.0
"""Only a camera that has sent pictures for so long is back; else each flicker would be news."""

log = structlog.get_logger()


class Conditions(Protocol):
    """Keeps how cameras are."""

    def camera_is(
        self, camera_id: UUID, state: CameraCondition, reason: str = ""
    ) -> CameraCondition | None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the capture of every camera needs."""

    make_feed: FeedMaker
    health: Conditions
    raise_event: Callable[[EventRaised], None]
    now: Clock
    dice: Callable[[], float]
    """0..1, uniform."""


class Capture:
    """Runs in a thread of its own, because opening and reading a camera may hang in C code."""

    def __init__(self, camera: DesiredCamera, slot: Slot, around: Surroundings) -> None:
        self._camera = camera
        self._slot = slot
        self._around = around
        self._backoff = Backoff(base_s=_BACKOFF_BASE_S, cap_s=_BACKOFF_CAP_S, dice=around.dice)
        self._stop = threading.Event()
        self._pace = Pace(camera.analysed_fps)
        self._is_missed = False
        """A person has been told that it is gone, and not yet that it is back."""
        self._thread = threading.Thread(
            target=self._run, name=f"capture {camera.name}", daemon=True
        )

    def start(self) -> None:
        self._tell("connecting")
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; it may take as long as the camera's timeout."""
        self._stop.set()

    def join(self, timeout_s: float) -> None:
        """Wait for the end, but not for a camera that hangs: the thread dies with the process."""
        self._thread.join(timeout_s)

    def tune(self, camera: DesiredCamera) -> None:
        """Go on with other settings of the same source."""
        self._camera = camera
        self._pace = Pace(camera.analysed_fps)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._offer_frames()
            except SourceLost as lost:
                self._lose(without_credentials(str(lost)))
                self._stop.wait(self._backoff.next_s())

    def _offer_frames(self) -> None:
        first: float | None = None
        for frame in self._around.make_feed(self._camera.source).frames(self._stop):
            if self._stop.is_set():
                return
            if first is None:
                first = time.monotonic()
                self._tell("online")
                log.info("camera.online", camera=self._camera.name)
            elif time.monotonic() - first > _STABLE_S:
                self._be_back()
            if self._pace.wants(frame.captured_at):
                self._slot.put(frame)

    def _lose(self, reason: str) -> None:
        if self._stop.is_set():
            return
        self._tell("unreachable", reason)
        if not self._is_missed:
            self._is_missed = True
            log.warning("camera.unreachable", camera=self._camera.name, reason=reason)
            self._raise("camera_unreachable", f"No pictures from {self._camera.name}", reason)

    def _be_back(self) -> None:
        self._backoff.reset()
        if self._is_missed:
            self._is_missed = False
            self._raise("camera_back", f"Pictures again from {self._camera.name}", "")

    def _raise(self, kind: str, title: str, detail: str) -> None:
        self._around.raise_event(
            EventRaised(
                kind=kind,
                occurred_at=self._around.now(),
                title=title,
                detail=detail,
                camera_id=self._camera.camera_id,
                severity="warning" if kind == "camera_unreachable" else "info",
            )
        )

    def _tell(self, state: CameraCondition, reason: str = "") -> None:
        if not self._stop.is_set():
            self._around.health.camera_is(self._camera.camera_id, state, reason)
