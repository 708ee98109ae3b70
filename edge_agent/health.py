"""How the agent is: counters and problems from every thread, told as one `StateReport`."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

import structlog

from edge_agent.clock import Clock
from edge_agent.histogram import Histogram
from processing.wire.limits import MAX_TEXT
from processing.wire.messages import (
    BundleState,
    CameraState,
    FoundCamera,
    ImageState,
    LaneState,
    StateReport,
)
from processing.wire.overflow import OverflowState

CameraCondition: TypeAlias = Literal["connecting", "online", "unreachable", "disabled"]

_RATE_WINDOW_S: Final = 5.0
_MAX_PROBLEMS: Final = 20
_MAX_FOUND: Final = 64
_LATENCY_BOUNDS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

log = structlog.get_logger()


@dataclass(slots=True)
class _Camera:
    since_at: datetime
    state: CameraCondition = "connecting"
    reason: str = ""
    width: int = 0
    height: int = 0
    n_frames: int = 0
    n_elsewhere: int = 0
    n_gated: int = 0
    image: ImageState | None = None
    dropped: Counter[str] = field(default_factory=Counter)
    latency: Histogram = field(default_factory=lambda: Histogram(_LATENCY_BOUNDS_S))
    analysed: deque[float] = field(default_factory=deque)
    """Monotonic instants of the frames in the rate's window."""


@dataclass(frozen=True, slots=True)
class CameraFigures:
    """What has been counted of one camera since the agent began to watch it."""

    state: CameraState
    dropped: Counter[str]
    """Frames by reason."""
    n_here: int
    """Frames that the agent's own network has judged."""
    latency: Histogram
    """From capture to result, in seconds."""


class Health:
    """Written to by all threads; read by the link."""

    def __init__(self, now: Clock, *, on_change: Callable[[], None] = lambda: None) -> None:
        self._now = now
        self._on_change = on_change
        self._lock = threading.Lock()
        self._cameras: dict[UUID, _Camera] = {}
        self._problems: dict[str, str] = {}
        self._bundle: BundleState | None = None
        self._cloud_bundles: tuple[BundleState, ...] = ()
        self._overflow: dict[UUID, OverflowState] = {}
        self._found: tuple[FoundCamera, ...] = ()
        self._desired_version = 0

    def call_on_change(self, on_change: Callable[[], None]) -> None:
        """Call this, from any thread, whenever a report would read differently."""
        self._on_change = on_change

    # ------------------------------------------------------------ problems

    def problem(self, key: str, text: str) -> None:
        """Tell people what is wrong until `solved`; its first words are logged."""
        with self._lock:
            before = self._problems.get(key)
            self._problems[key] = text
        if before is None:
            log.warning("problem", about=key, text=text)
        if before != text:
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

    def frame_analysed(
        self,
        camera_id: UUID,
        *,
        width: int,
        height: int,
        latency_s: float | None = None,
        is_judged_here: bool = True,
    ) -> None:
        """Count a frame that became a result, and how long that took from its capture."""
        with self._lock:
            camera = self._cameras.get(camera_id)
            if camera is not None:
                camera.n_frames += 1
                camera.n_elsewhere += not is_judged_here
                camera.width, camera.height = width, height
                camera.analysed.append(time.monotonic())
                _forget_old(camera.analysed)
                if latency_s is not None:
                    camera.latency.observe(latency_s)

    def frame_gated(self, camera_id: UUID) -> None:
        """Count a frame in which nothing moves, and which the network was spared."""
        with self._lock:
            camera = self._cameras.get(camera_id)
            if camera is not None:
                camera.n_gated += 1

    def image_is(self, camera_id: UUID, image: ImageState) -> None:
        """Note what a camera's pictures are like; the next report says it."""
        with self._lock:
            camera = self._cameras.get(camera_id)
            if camera is not None:
                camera.image = image

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

    def figures(self) -> tuple[CameraFigures, ...]:
        """Return what was counted of every camera, as copies that do not change any more."""
        with self._lock:
            return tuple(
                CameraFigures(
                    told,
                    Counter(camera.dropped),
                    camera.n_frames - camera.n_elsewhere,
                    camera.latency.copy(),
                )
                for told, camera in zip(self._tell_all(), self._cameras.values(), strict=True)
            )

    # ------------------------------------------------------------ the rest

    def bundle_is(self, bundle: BundleState | None) -> None:
        """Note what runs."""
        with self._lock:
            self._bundle = bundle
        self._on_change()

    def overflow_is(
        self, states: dict[UUID, OverflowState], bundles: tuple[BundleState, ...]
    ) -> None:
        """Note what the cloud has done for each camera, and with which bundles.

        Counts alone are told with the next report: they change all the time.
        """
        with self._lock:
            before = _reasons(self._overflow), self._cloud_bundles
            self._overflow, self._cloud_bundles = states, bundles
            is_news = before != (_reasons(states), bundles)
        if is_news:
            self._on_change()

    def found_are(self, found: tuple[FoundCamera, ...]) -> None:
        """Note which cameras answered on the agent's network; the first of them if too many."""
        found = found[:_MAX_FOUND]
        with self._lock:
            is_news, self._found = found != self._found, found
        if is_news:
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
                cameras=tuple(self._tell_all()),
                bundles=((self._bundle,) if self._bundle else ()) + self._cloud_bundles,
                lanes=lanes,
                problems=tuple(text[:MAX_TEXT] for text in self._problems.values())[:_MAX_PROBLEMS],
                found=self._found,
            )

    def _tell_all(self) -> Iterator[CameraState]:
        for camera_id, camera in self._cameras.items():
            yield _told(camera_id, camera, self._overflow.get(camera_id))


def _reasons(states: dict[UUID, OverflowState]) -> dict[UUID, str]:
    return {camera_id: state.reason for camera_id, state in states.items()}


def _forget_old(instants: deque[float]) -> None:
    oldest = time.monotonic() - _RATE_WINDOW_S
    while instants and instants[0] < oldest:
        instants.popleft()


def _told(camera_id: UUID, camera: _Camera, overflow: OverflowState | None) -> CameraState:
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
        n_gated=camera.n_gated,
        image=camera.image,
        overflow=overflow,
    )
