"""How the agent is: counters and problems from every thread, told as one `StateReport`."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

import structlog

from edge_agent.clock import Clock
from processing.wire.limits import MAX_TEXT
from processing.wire.messages import BundleState, CameraState, LaneState, StateReport

CameraCondition: TypeAlias = Literal["connecting", "online", "unreachable", "disabled"]

_RATE_WINDOW_S: Final = 5.0
_MAX_PROBLEMS: Final = 20

log = structlog.get_logger()


@dataclass(slots=True)
class _Camera:
    since_at: datetime
    state: CameraCondition = "connecting"
    reason: str = ""
    width: int = 0
    height: int = 0
    n_frames: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    analysed: deque[float] = field(default_factory=deque)
    """Monotonic instants of the frames in the rate's window."""


class Health:
    """Written to by all threads; read by the link."""

    def __init__(self, now: Clock, *, on_change: Callable[[], None] = lambda: None) -> None:
        self._now = now
        self._on_change = on_change
        self._lock = threading.Lock()
        self._cameras: dict[UUID, _Camera] = {}
        self._problems: dict[str, str] = {}
        self._bundle: BundleState | None = None
        self._desired_version = 0

    def call_on_change(self, on_change: Callable[[], None]) -> None:
        """Call this, from any thread, whenever a report would read differently."""
        self._on_change = on_change

    # ------------------------------------------------------------ problems

    def problem(self, key: str, text: str) -> None:
        """Tell people what is wrong until `solved`; logged once while the text stays the same."""
        with self._lock:
            if self._problems.get(key) == text:
                return
            self._problems[key] = text
        log.warning("problem", about=key, text=text)
        self._on_change()

    def solved(self, key: str) -> None:
        """Take a problem back, if there is one."""
        with self._lock:
            text = self._problems.pop(key, None)
        if text is not None:
            log.info("problem.solved", about=key)
            self._on_change()

    @property
    def problems(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._problems.values())

    # ------------------------------------------------------------ cameras

    def camera_is(
        self, camera_id: UUID, state: CameraCondition, reason: str = ""
    ) -> CameraCondition | None:
        """Note the state of a camera; return the one before if that is a change."""
        at = self._now()
        with self._lock:
            camera = self._cameras.get(camera_id)
            before = camera.state if camera else None
            if camera is None:
                camera = self._cameras[camera_id] = _Camera(at)
            if (before, camera.reason) == (state, reason):
                return None
            if before != state:
                camera.since_at = at
            camera.state, camera.reason = state, reason[:MAX_TEXT]
        self._on_change()
        return before if before != state else None

    def camera_gone(self, camera_id: UUID) -> None:
        """Forget a camera that is not watched any more."""
        with self._lock:
            self._cameras.pop(camera_id, None)
        self._on_change()

    def keep_only(self, camera_ids: Iterable[UUID]) -> None:
        """Forget all cameras but these."""
        wanted = set(camera_ids)
        with self._lock:
            for camera_id in self._cameras.keys() - wanted:
                del self._cameras[camera_id]

    def frame_analysed(self, camera_id: UUID, *, width: int, height: int) -> None:
        """Count a frame that became a result."""
        with self._lock:
            camera = self._cameras.get(camera_id)
            if camera is not None:
                camera.n_frames += 1
                camera.width, camera.height = width, height
                camera.analysed.append(time.monotonic())
                _forget_old(camera.analysed)

    def frame_dropped(self, camera_id: UUID, reason: str) -> None:
        """Count a frame that was wanted and is not looked at."""
        with self._lock:
            camera = self._cameras.get(camera_id)
            if camera is not None:
                camera.dropped[reason] += 1

    def drops(self, camera_id: UUID) -> Counter[str]:
        """Return how many frames were dropped, by reason."""
        with self._lock:
            camera = self._cameras.get(camera_id)
            return Counter(camera.dropped) if camera else Counter()

    # ------------------------------------------------------------ the rest

    def bundle_is(self, bundle: BundleState | None) -> None:
        """Note what runs."""
        with self._lock:
            self._bundle = bundle
        self._on_change()

    def desired_is(self, version: int) -> None:
        """Note which desired state has been acted upon."""
        with self._lock:
            self._desired_version = version
        self._on_change()

    def report(self, lanes: tuple[LaneState, ...]) -> StateReport:
        """Return how everything is right now."""
        with self._lock:
            return StateReport(
                at=self._now(),
                desired_version=self._desired_version,
                cameras=tuple(_told(key, camera) for key, camera in self._cameras.items()),
                bundles=(self._bundle,) if self._bundle else (),
                lanes=lanes,
                problems=tuple(text[:MAX_TEXT] for text in self._problems.values())[:_MAX_PROBLEMS],
            )


def _forget_old(instants: deque[float]) -> None:
    oldest = time.monotonic() - _RATE_WINDOW_S
    while instants and instants[0] < oldest:
        instants.popleft()


def _told(camera_id: UUID, camera: _Camera) -> CameraState:
    _forget_old(camera.analysed)
    return CameraState(
        camera_id=camera_id,
        state=camera.state,
        reason=camera.reason,
        since_at=camera.since_at,
        fps=round(len(camera.analysed) / _RATE_WINDOW_S, 1),
        n_frames=camera.n_frames,
        n_dropped=camera.dropped.total(),
        width=camera.width,
        height=camera.height,
    )
