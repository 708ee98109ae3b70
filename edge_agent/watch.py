"""The cameras that are watched with one network, and the threads that they share."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, assert_never
from uuid import UUID

import structlog

from edge_agent.backlog import Entry
from edge_agent.capture import Surroundings
from edge_agent.clips.recorder import ClipRecorder, ClipSurroundings
from edge_agent.clips.shelf import ClipShelf
from edge_agent.clips.studio import Turns
from edge_agent.darkroom import Darkroom
from edge_agent.duty import Duty, Network
from edge_agent.embedder import Embedder
from edge_agent.health import Health
from edge_agent.live import LiveDesk
from edge_agent.overflow.cloud import Cloud, NoCloud
from edge_agent.reconcile import Change, Start, Stop, Tune
from edge_agent.runner import CameraRunner
from edge_agent.scheduler import Scheduler
from edge_agent.workplace import Answering, Workplace
from processing.inference.detector import InferenceFailed
from processing.media.masking import heads
from processing.pipeline.privacy import people_in
from processing.vision.detections import Boxes
from processing.vision.frame import Frame
from processing.wire.camera import DesiredCamera
from processing.wire.messages import ClipMade

_PROBLEM: Final = "inference"
_LOOK_S: Final = 1.0
_PATIENCE_S: Final = 10.0
"""No network takes so long for a frame."""
_STUCK_S: Final = 60.0
"""After so long, starting the agent anew is the only thing left to try."""
_END_S: Final = 1.0
"""For answers to end; then the process goes without them."""
_PARTING_S: Final = 2.0
"""For captures to end and clips to be finished, of all cameras at once."""

__all__ = ["Network", "Watch"]

log = structlog.get_logger()


class Watch:
    """Call `apply` and `close` from one thread."""

    def __init__(  # noqa: PLR0913 as many as a watch has parts
        self,
        network: Network,
        *,
        around: Surroundings,
        health: Health,
        live: LiveDesk,
        append: Callable[[Entry], None],
        ids: Iterator[int],
        shelf: ClipShelf | None = None,
        is_patient: bool = False,
        cloud: Cloud | None = None,
    ) -> None:
        """Without a shelf no clips are made. `is_patient`: see `Workplace`."""
        self._cloud = cloud or NoCloud()
        self._shelf = shelf
        self._turns = Turns()
        self._now = around.now
        self._health = health
        self._duty = Duty(network)
        self._ending: list[threading.Thread] = []
        """They see to what is not needed any more, and takes its time to end."""
        self._runners: dict[UUID, CameraRunner] = {}
        self._answers: queue.SimpleQueue[Answering | None] = queue.SimpleQueue()
        self._scheduler = Scheduler()
        self._darkroom = Darkroom(
            on_dropped=lambda camera_id: health.frame_dropped(camera_id, "sample_not_kept")
        )
        self._embedder = Embedder()
        self._place = Workplace(
            around=around,
            health=health,
            duty=self._duty,
            ids=ids,
            live=live,
            darkroom=self._darkroom,
            embedder=self._embedder,
            make_recorder=self._make_recorder,
            append=append,
            answered=self._answers.put,
            wake=self._scheduler.offer,
            is_patient=is_patient,
            cloud=self._cloud,
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
                self._part_from(runner)
                self._health.camera_gone(camera_id)
                log.info("camera.stopped", camera=runner.camera.name)
            case Tune(camera):
                self._runners[camera.camera_id].tune(camera)
                log.info("camera.tuned", camera=camera.name)
            case _:
                assert_never(change)

    def change_network(self, network: Network) -> None:
        """Let another network judge all frames from now on.

        The one before answers what it has begun, and is closed. It does not wait for that.
        """
        relieved = self._duty.hand_over(network)
        self._leave_to_end("dismissing", partial(self._dismiss, relieved))
        self._scheduler.wake()

    @property
    def device(self) -> str:
        """Return what the network runs on now, several joined by +."""
        return self._duty.network.engine.device

    def stuck(self) -> str | None:
        """Return what does not move any more, in words."""
        waiting_s = self._longest_wait_s()
        return (
            f"a frame has been on the network for {waiting_s:.0f} s"
            if waiting_s > _STUCK_S
            else None
        )

    def close(self) -> None:
        """Stop all cameras; what the engine has begun is still answered and stored."""
        for runner in self._runners.values():
            runner.stop()
        self._scheduler.close()
        self._cloud.give_up()
        self._duty.network.engine.wait()
        self._wait_for_ending(_END_S)
        self._answers.put(None)
        self._thread.join(_END_S)
        self._embedder.close(_END_S)
        self._darkroom.close()
        for runner in self._runners.values():
            self._part_from(runner)
        self._wait_for_ending(_PARTING_S)
        self._duty.network.engine.close()

    def _part_from(self, runner: CameraRunner) -> None:
        """Let a camera that was stopped finish its clips, and end the threads that made them."""
        self._leave_to_end("parting", partial(runner.join, _PATIENCE_S))

    def _leave_to_end(self, name: str, work: Callable[[], None]) -> None:
        self._ending = [each for each in self._ending if each.is_alive()]
        thread = threading.Thread(target=work, name=name, daemon=True)
        self._ending.append(thread)
        thread.start()

    def _wait_for_ending(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        for thread in self._ending:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _dismiss(self, network: Network) -> None:
        """Close a network once it has answered what it began; or after a while, if it hangs."""
        if not self._duty.wait_ended(network, timeout_s=_PATIENCE_S):
            log.warning("network.unanswered", bundle=network.bundle.hex())
            for runner in tuple(self._runners.values()):
                runner.despair_of(network)
        network.engine.close()

    def _settle(self) -> None:
        looked = time.monotonic()
        while True:
            try:
                runner = self._answers.get(timeout=_LOOK_S)
            except queue.Empty:
                self._notice_silence()
            else:
                if runner is None:
                    return
                runner.settle()
                self._scheduler.wake()
                self._health.solved(_PROBLEM)
            if time.monotonic() - looked >= _LOOK_S:
                looked = time.monotonic()
                for each in tuple(self._runners.values()):
                    each.end_unseen()

    def _notice_silence(self) -> None:
        """Tell people when the network has begun to look at a frame and does not end."""
        if self._longest_wait_s() > _PATIENCE_S:
            self._health.problem(_PROBLEM, "the network hangs: restart the agent")

    def _longest_wait_s(self) -> float:
        begun = [runner.oldest_begun() for runner in tuple(self._runners.values())]
        return time.monotonic() - min((at for at in begun if at), default=time.monotonic())

    def _make_recorder(
        self, camera: DesiredCamera, made: Callable[[UUID, ClipMade], None]
    ) -> ClipRecorder | None:
        if self._shelf is None or not camera.clips.is_on:
            return None
        around = ClipSurroundings(self._shelf, made, self._heads_of, self._turns, self._now)
        return ClipRecorder(camera.camera_id, around, policy=camera.clips, privacy=camera.privacy)

    def _heads_of(self, frame: Frame) -> Boxes | None:
        """Return where heads are in a frame of a clip; None if nobody can tell."""
        network = self._duty.begin()
        try:
            found = network.engine.detect(frame)
        except InferenceFailed:
            return None
        finally:
            self._duty.end(network)
        people = people_in(found, network.labels)
        return None if people is None else heads(people)
