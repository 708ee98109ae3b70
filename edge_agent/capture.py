"""One camera's capture: offers its frames, tells how it is, and comes back when it is lost."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol
from uuid import UUID

import structlog

from edge_agent.clock import Clock
from edge_agent.health import CameraCondition
from edge_agent.logs import without_credentials
from edge_agent.pace import Pace
from edge_agent.reading import Reader, Reading
from edge_agent.schedule import why_closed, zone_of
from edge_agent.slot import FrameSink
from edge_agent.sources.feed import FeedMaker
from processing.media.decode import SourceLost
from processing.media.packets import PacketTap
from processing.wire.camera import DesiredCamera
from processing.wire.messages import EventRaised

log = structlog.get_logger()


class Conditions(Protocol):
    """Keeps how cameras are, and what is wrong."""

    def camera_is(
        self, camera_id: UUID, state: CameraCondition, reason: str = ""
    ) -> CameraCondition | None: ...

    def problem(self, key: str, text: str) -> None: ...

    def solved(self, key: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the capture of every camera needs."""

    make_feed: FeedMaker
    health: Conditions
    raise_event: Callable[[EventRaised], None]
    now: Clock
    dice: Callable[[], float]
    """0..1, uniform."""
    files_dir: Path | None = None
    """The only folder whose videos a main stream `file:NAME` may be."""


class Capture:
    """Never waits for the camera: reading it, and looking after that, have threads of their own."""

    def __init__(
        self,
        camera: DesiredCamera,
        slot: FrameSink,
        around: Surroundings,
        tap: PacketTap | None = None,
    ) -> None:
        self._camera = camera
        self._slot = slot
        self._around = around
        self._pace = Pace(camera.analysed_fps)
        self._is_missed = False
        """A person has been told that it is gone, and not yet that it is back."""
        self._is_resting = False
        self._reader = Reader(self, tap=tap, name=f"capture {camera.name}", dice=around.dice)

    def start(self) -> None:
        self._tell("connecting")
        self._tell_zone()
        self._reader.start()

    def stop(self) -> None:
        """Ask for the end; it may take as long as the camera's timeout."""
        self._reader.stop()
        for key in self._problem_keys():
            self._around.health.solved(key)

    def join(self, timeout_s: float) -> None:
        """Wait for the end, but not for a camera that hangs: its thread dies with the process."""
        self._reader.join(timeout_s)

    def tune(self, camera: DesiredCamera) -> None:
        """Go on with other settings of the same source."""
        is_fetched_otherwise = camera.streams.transport != self._camera.streams.transport
        self._camera = camera
        self._pace = Pace(camera.analysed_fps)
        self._tell_zone()
        if is_fetched_otherwise:
            self._reader.reopen()

    # ------------------------------------------------------------ the thread that reads

    def read(self, reading: Reading) -> None:
        """See `edge_agent.reading.Listener`."""
        for frame in self._around.make_feed(self._camera, reading.tap).frames(reading.stop):
            if reading.stop.is_set():
                return
            reading.beat()
            if self._pace.wants(frame.captured_at):
                reading.work(partial(self._slot.put, frame))

    # ------------------------------------------------------------ the one that looks after it

    def rests(self) -> bool:
        """See `edge_agent.reading.Listener`."""
        why = why_closed(self._camera.schedule, self._around.now())
        if why:
            self._tell("disabled", why)
        elif self._is_resting:
            self._tell("connecting")
        if self._is_resting != bool(why):
            self._is_resting = bool(why)
            log.info("camera.resting", camera=self._camera.name, is_resting=self._is_resting)
        return self._is_resting

    def came(self) -> None:
        """See `edge_agent.reading.Listener`."""
        self._tell("online")
        log.info("camera.online", camera=self._camera.name)

    def stalled(self, silent_s: float) -> None:
        """See `edge_agent.reading.Listener`. No event yet: it may go on the next moment."""
        reason = f"sent nothing for {silent_s:.1f} s"
        self._tell("unreachable", reason)
        log.warning("camera.stalled", camera=self._camera.name, reason=reason)

    def lost(self, reason: SourceLost) -> None:
        """See `edge_agent.reading.Listener`."""
        if self._reader.is_stopped:
            return
        words = without_credentials(str(reason))
        self._tell("unreachable", words)
        if not self._is_missed:
            self._is_missed = True
            log.warning("camera.unreachable", camera=self._camera.name, reason=words)
            self._raise("camera_unreachable", f"No pictures from {self._camera.name}", words)

    def steady(self) -> None:
        """See `edge_agent.reading.Listener`."""
        if self._is_missed:
            self._is_missed = False
            self._raise("camera_back", f"Pictures again from {self._camera.name}", "")

    def hangs(self, n_threads: int) -> None:
        """See `edge_agent.reading.Listener`."""
        key, _ = self._problem_keys()
        if n_threads:
            self._around.health.problem(
                key, f"{self._camera.name} hangs, {n_threads} times over: restart the agent"
            )
        else:
            self._around.health.solved(key)

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
        if not self._reader.is_stopped:
            self._around.health.camera_is(self._camera.camera_id, state, reason)

    def _tell_zone(self) -> None:
        """Report a time zone that this machine does not know; its hours are taken for UTC's."""
        _, key = self._problem_keys()
        schedule = self._camera.schedule
        if schedule.windows and zone_of(schedule) is None:
            self._around.health.problem(
                key,
                f"{self._camera.name}: this machine does not know the time zone "
                f"{schedule.time_zone}; its hours are taken as UTC",
            )
        else:
            self._around.health.solved(key)

    def _problem_keys(self) -> tuple[str, str]:
        camera_id = self._camera.camera_id
        return f"hangs {camera_id}", f"time zone {camera_id}"
