"""One camera from frame to outbox: capture, turn on the engine, track, store, maybe show."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import structlog

from edge_agent.backlog import Entry
from edge_agent.capture import Capture, Surroundings
from edge_agent.darkroom import Darkroom, Developed
from edge_agent.health import Health
from edge_agent.live import LiveDesk
from edge_agent.slot import Slot
from processing.inference.detector import Detector, InferenceFailed
from processing.pipeline.samples import Keep, Turn, decide
from processing.pipeline.to_wire import count_started, pack_detections
from processing.pipeline.watching import Seen, Watching
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.wire.messages import DesiredCamera, LivePicture, Result, SampleOffered

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Workplace:
    """What all cameras that share an engine share."""

    around: Surroundings
    health: Health
    engine: Detector
    bundle: bytes
    labels: tuple[str, ...]
    ids: Iterator[int]
    live: LiveDesk
    darkroom: Darkroom
    append: Callable[[Entry], None]
    answered: Callable[["Ticket"], None]
    """Hands a ticket with its answer to the thread that calls `CameraRunner.settle`."""
    wake: Callable[[], None]
    """Tells the scheduler that there is something to do."""


@dataclass(slots=True, eq=False)
class Ticket:
    """A frame on the engine."""

    runner: "CameraRunner"
    frame: Frame
    answer: Detections | InferenceFailed | None = None
    begun: float = field(default_factory=time.monotonic)


class CameraRunner:
    """Its methods are called by different threads, each by one only, as they say."""

    def __init__(self, camera: DesiredCamera, place: Workplace) -> None:
        self.camera = camera
        self._place = place
        self._slot = Slot(on_dropped=self._count_superseded, on_put=place.wake)
        self._capture = Capture(camera, self._slot, place.around)
        self._watching = Watching(
            place.ids,
            bundle_labels=place.labels,
            wanted=camera.labels,
            score_threshold=camera.score_threshold,
        )
        self._turn: Turn | None = None
        self._lock = threading.Lock()
        self._on_engine: deque[Ticket] = deque()
        """In the order of their frames; the engine may answer in another."""
        self._is_stopped = False
        self._is_failing = False

    # ------------------------------------------------------------ the main thread

    def start(self) -> None:
        self._capture.start()

    def stop(self) -> None:
        """End soon; frames that are on the engine are still answered, and stored."""
        self._is_stopped = True
        self._capture.stop()

    def join(self, timeout_s: float) -> None:
        self._capture.join(timeout_s)

    def tune(self, camera: DesiredCamera) -> None:
        """Go on with other settings of the same source."""
        self.camera = camera
        self._capture.tune(camera)
        self._watching.tune(wanted=camera.labels, score_threshold=camera.score_threshold)

    # ------------------------------------------------------------ the scheduler's thread

    def use(self) -> bool | None:
        """See `edge_agent.scheduler.Turn`."""
        frame = None if self._is_stopped else self._slot.take()
        if frame is None:
            return None
        ticket = Ticket(self, frame)

        def on_done(answer: Detections | InferenceFailed) -> None:
            ticket.answer = answer
            self._place.answered(ticket)

        with self._lock:  # so that an answer that comes at once finds its ticket
            is_taken = self._place.engine.submit(frame, on_done)
            if is_taken:
                self._on_engine.append(ticket)
        if not is_taken:
            self._slot.give_back(frame)
        return is_taken

    # ------------------------------------------------------------ the answers' thread

    def settle(self) -> None:
        """Deal with every answer whose turn has come."""
        while ticket := self._next_answered():
            if isinstance(ticket.answer, Detections):
                self._is_failing = False
                self._deal_with(ticket.frame, ticket.answer)
            elif ticket.answer is not None:
                self._fail(ticket.answer)

    def oldest_begun(self) -> float | None:
        """Return when the frame that has been on the engine longest was put there, monotonic."""
        with self._lock:
            return self._on_engine[0].begun if self._on_engine else None

    def _next_answered(self) -> Ticket | None:
        with self._lock:
            if self._on_engine and self._on_engine[0].answer is not None:
                return self._on_engine.popleft()
        return None

    def _deal_with(self, frame: Frame, found: Detections) -> None:
        place, camera = self._place, self.camera
        seen = self._watching.look(found, frame)
        packed = pack_detections(seen.shown, width=frame.width, height=frame.height)
        latency = (place.around.now() - frame.captured_at).total_seconds() * 1000.0
        place.append(
            Result(
                camera.camera_id,
                frame.captured_at,
                place.bundle,
                packed,
                count_started(seen.started),
                max(0.0, latency),
            )
        )
        place.health.frame_analysed(camera.camera_id, width=frame.width, height=frame.height)
        self._show(frame, packed)
        keep, self._turn = decide(
            camera.samples, self._turn, seen.tracked, at=frame.captured_at, dice=place.around.dice
        )
        if keep is not None:
            self._keep(frame, seen, keep)

    def _show(self, frame: Frame, packed: bytes) -> None:
        view = self._place.live.turn_of(self.camera.camera_id)
        if view is None:
            return

        def put(developed: Developed) -> None:
            picture = LivePicture(
                camera_id=view.camera_id,
                captured_at=frame.captured_at,
                width=developed.width,
                height=developed.height,
                bundle=self._place.bundle,
                detections=packed,
                jpeg=developed.jpeg,
            )
            self._place.live.put(picture)

        self._place.darkroom.show(view.camera_id, frame, view.max_width, put)

    def _keep(self, frame: Frame, seen: Seen, keep: Keep) -> None:
        camera_id = self.camera.camera_id
        doubtful = seen.tracked.scores >= self.camera.samples.low_score
        packed = pack_detections(seen.tracked[doubtful], width=frame.width, height=frame.height)

        def append(developed: Developed) -> None:
            sample = SampleOffered(
                camera_id=camera_id,
                captured_at=frame.captured_at,
                bundle=self._place.bundle,
                detections=packed,
                reason=keep.reason,
                score=keep.score,
                width=developed.width,
                height=developed.height,
                jpeg=developed.jpeg,
            )
            self._place.append(sample)

        self._place.darkroom.sample(camera_id, frame, append)

    def _fail(self, failure: InferenceFailed) -> None:
        self._place.health.frame_dropped(self.camera.camera_id, "inference_failed")
        if not self._is_failing:
            self._is_failing = True
            log.warning("inference.failed", camera=self.camera.name, reason=str(failure))

    def _count_superseded(self) -> None:
        self._place.health.frame_dropped(self.camera.camera_id, "engine_busy")
