"""The cameras that are watched with one open engine, and the threads that they share."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, assert_never
from uuid import UUID

import structlog

from edge_agent.backlog import Entry
from edge_agent.capture import Surroundings
from edge_agent.darkroom import Darkroom
from edge_agent.health import Health
from edge_agent.live import LiveDesk
from edge_agent.reconcile import Change, Start, Stop, Tune
from edge_agent.runner import CameraRunner, Ticket, Workplace
from edge_agent.scheduler import Scheduler
from processing.inference.detector import Detector
from processing.wire.messages import DesiredCamera

_PROBLEM: Final = "inference"
_LOOK_S: Final = 1.0
_PATIENCE_S: Final = 10.0
"""No network takes so long for a frame."""
_END_S: Final = 1.0
"""For captures and answers to end; then the process goes without them."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Network:
    """An open engine, and what results must say of it."""

    engine: Detector
    bundle: bytes
    labels: tuple[str, ...]


class Watch:
    """Call `apply` and `close` from one thread."""

    def __init__(
        self,
        network: Network,
        *,
        around: Surroundings,
        health: Health,
        live: LiveDesk,
        append: Callable[[Entry], None],
        ids: Iterator[int],
    ) -> None:
        self._health = health
        self._engine = network.engine
        self._runners: dict[UUID, CameraRunner] = {}
        self._answers: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        self._scheduler = Scheduler()
        self._darkroom = Darkroom(
            on_dropped=lambda camera_id: health.frame_dropped(camera_id, "sample_not_kept")
        )
        self._place = Workplace(
            around=around,
            health=health,
            engine=network.engine,
            bundle=network.bundle,
            labels=network.labels,
            ids=ids,
            live=live,
            darkroom=self._darkroom,
            append=append,
            answered=self._answers.put,
            wake=self._scheduler.wake,
        )
        self._thread = threading.Thread(target=self._settle, name="answers", daemon=True)
        self._thread.start()

    @property
    def cameras(self) -> dict[UUID, DesiredCamera]:
        """Return the cameras that are watched, with the settings they are watched with."""
        return {camera_id: runner.camera for camera_id, runner in self._runners.items()}

    def apply(self, change: Change) -> None:
        """Make one change. It does not wait: a capture that ends may hang in its camera."""
        match change:
            case Start(camera):
                runner = CameraRunner(camera, self._place)
                self._runners[camera.camera_id] = runner
                self._scheduler.add(runner)
                runner.start()
                log.info("camera.started", camera=camera.name)
            case Stop(camera_id):
                runner = self._runners.pop(camera_id)
                runner.stop()
                self._scheduler.remove(runner)
                self._health.camera_gone(camera_id)
                log.info("camera.stopped", camera=runner.camera.name)
            case Tune(camera):
                self._runners[camera.camera_id].tune(camera)
                log.info("camera.tuned", camera=camera.name)
            case _:
                assert_never(change)

    def close(self) -> None:
        """Stop all cameras; what the engine has begun is still answered and stored."""
        for runner in self._runners.values():
            runner.stop()
        self._scheduler.close()
        self._engine.wait()
        self._answers.put(None)
        self._thread.join(_END_S)
        self._darkroom.close()
        deadline = time.monotonic() + _END_S
        for runner in self._runners.values():
            runner.join(max(0.0, deadline - time.monotonic()))
        self._engine.close()

    def _settle(self) -> None:
        while True:
            try:
                ticket = self._answers.get(timeout=_LOOK_S)
            except queue.Empty:
                self._notice_silence()
                continue
            if ticket is None:
                return
            ticket.runner.settle()
            self._scheduler.wake()
            self._health.solved(_PROBLEM)

    def _notice_silence(self) -> None:
        """Tell people when the network has begun to look at a frame and does not end."""
        begun = [runner.oldest_begun() for runner in tuple(self._runners.values())]
        waiting_s = time.monotonic() - min((at for at in begun if at), default=time.monotonic())
        if waiting_s > _PATIENCE_S:
            self._health.problem(_PROBLEM, "the network hangs: restart the agent")
