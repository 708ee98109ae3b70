"""One camera from frame to outbox: capture, turn on the engine, track, rules, store, maybe show."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeAlias
from uuid import UUID, uuid4

import numpy as np
import structlog

from edge_agent.backlog import Entry
from edge_agent.capture import Capture, Surroundings
from edge_agent.clips.recorder import ClipRecorder
from edge_agent.darkroom import Darkroom, Developed
from edge_agent.duty import Duty, Network
from edge_agent.embedder import Embedder
from edge_agent.event_desk import EventDesk
from edge_agent.gatekeeper import Gatekeeper
from edge_agent.health import Health
from edge_agent.inspection import Inspection
from edge_agent.live import LiveDesk
from edge_agent.live_video import LiveVideoTap
from edge_agent.main_stream import MainStream
from edge_agent.slot import Slot
from processing.inference.detector import Embedding, InferenceFailed
from processing.media.packets import PacketTap, Taps
from processing.pipeline.privacy import Exposure, people_in
from processing.pipeline.samples import Keep, Turn, decide
from processing.pipeline.tiling import crops
from processing.pipeline.to_wire import count_entered, count_started, pack_detections
from processing.pipeline.watching import Seen, Watching
from processing.vision.detections import Detections
from processing.wire.camera import DesiredCamera
from processing.wire.messages import (
    ClipMade,
    FrameFeatures,
    LiveBoxes,
    LivePicture,
    Result,
    SampleOffered,
)

_FEATURES_EVERY: Final = timedelta(seconds=10)
_UNSEEN_S: Final = 60.0
"""What ran when a camera was looked at last is not known to run any more after so long."""

log = structlog.get_logger()


RecorderMaker: TypeAlias = Callable[
    [DesiredCamera, Callable[[UUID, ClipMade], None]], ClipRecorder | None
]
"""Returns what makes clips of a camera's events and tells of each; None if none are wanted."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """What all cameras that share an engine share."""

    around: Surroundings
    health: Health
    duty: Duty
    ids: Iterator[int]
    live: LiveDesk
    darkroom: Darkroom
    embedder: Embedder
    make_recorder: RecorderMaker
    append: Callable[[Entry], None]
    answered: Callable[["CameraRunner"], None]
    """Tells the thread that calls `CameraRunner.settle` that there is something to settle."""
    wake: Callable[[], None]
    """Tells the scheduler that a frame waits."""
    is_patient: bool = False
    """Cameras are recordings, and wait for the engine instead of losing frames."""


class CameraRunner:
    """Its methods are called by different threads, each by one only, as they say."""

    def __init__(self, camera: DesiredCamera, place: Workplace) -> None:
        self.camera = camera
        self._place = place
        self._slot = Slot(
            on_dropped=self._count_superseded, on_put=place.wake, is_patient=place.is_patient
        )
        self._gatekeeper = Gatekeeper(camera, self._slot, health=place.health)
        self._recorder = place.make_recorder(camera, self._clip_made)
        self._video, self._main_video = (
            LiveVideoTap(camera.camera_id, place.live, may_show=self._may_show, is_main=is_main)
            for is_main in (False, True)
        )
        self._main_stream: MainStream | None = None
        taps: tuple[PacketTap, ...] = (self._video,)
        if camera.streams.clip_source:
            self._main_stream = MainStream(
                camera, place.around, video=self._main_video, recorder=self._recorder
            )
        elif self._recorder is not None:
            taps = (self._recorder, self._video)
        self._capture = Capture(camera, self._gatekeeper, place.around, tap=Taps(*taps))
        self._desk = EventDesk(
            camera.camera_id,
            append=place.append,
            darkroom=place.darkroom,
            recorder=self._recorder,
            privacy=lambda: self.camera.privacy,
        )
        self._lock = threading.Lock()
        self._on_engine: deque[Inspection] = deque()
        """In the order of their frames; the engine may answer in another."""
        self._beginning: Inspection | None = None
        """Some of its pieces are not on the engine yet."""
        self._is_stopped = False
        # From here on, all is the answers' thread's.
        self._watched = camera
        self._labels = place.duty.network.labels
        self._watching = self._watch_anew()
        self._turn: Turn | None = None
        self._featured_at: datetime | None = None
        self._looked = time.monotonic()
        """When a frame was looked at last; monotonic."""
        self._embedding: tuple[Network, Embedding] | None = None
        self._is_failing = False
        self._ended = threading.Event()

    # ------------------------------------------------------------ the main thread

    def start(self) -> None:
        self._capture.start()
        if self._main_stream is not None:
            self._main_stream.start()

    def stop(self) -> None:
        """End soon; frames that are on the engine are still answered, and stored."""
        with self._lock:
            self._is_stopped = True
            self._give_up("the camera was stopped")
        self._slot.close()
        self._capture.stop()
        if self._main_stream is not None:
            self._main_stream.stop()
        self._place.answered(self)

    def join(self, timeout_s: float) -> None:
        """Wait for the clips in the making, and for threads, so long for each.

        The clips come first: a capture that hangs in its camera adds nothing to them.
        """
        self._ended.wait(timeout_s)
        if self._recorder is not None:
            self._recorder.close()
        self._capture.join(timeout_s)
        if self._main_stream is not None:
            self._main_stream.join(timeout_s)

    def despair_of(self, network: Network) -> None:
        """Begin no more pieces on a network that was relieved and hangs: it would never take them.

        From any thread.
        """
        with self._lock:
            if self._beginning is None or self._beginning.network is not network:
                return
            self._give_up("the network was relieved, and hangs")
        self._place.answered(self)

    def _give_up(self, reason: str) -> None:
        begun, self._beginning = self._beginning, None
        if begun is not None and begun.give_up(reason):
            self._place.duty.end(begun.network)

    def tune(self, camera: DesiredCamera) -> None:
        """Go on with other settings of the same source."""
        self.camera = camera
        if not self._may_show():
            self._video.cut()
            self._main_video.cut()
        self._gatekeeper.tune(camera)
        self._capture.tune(camera)
        if self._recorder is not None:
            self._recorder.tune(camera.clips, camera.privacy)

    # ------------------------------------------------------------ the scheduler's thread

    def use(self) -> bool | None:
        """See `edge_agent.scheduler.Turn`. One turn is one piece of a frame."""
        with self._lock:
            inspection = self._beginning or self._next_inspection()
            if inspection is None:
                return None
            number = inspection.n_begun

            def on_done(answer: Detections | InferenceFailed) -> None:
                if inspection.answer(number, answer):
                    self._place.duty.end(inspection.network)
                    self._place.answered(self)

            if inspection.network.engine.submit(inspection.next_piece(), on_done):
                self._have_begun(inspection)
                return True
            if not number:
                self._place.duty.end(inspection.network)
                self._slot.give_back(inspection.frame)
            return False

    def _next_inspection(self) -> Inspection | None:
        frame = None if self._is_stopped else self._slot.take()
        if frame is None:
            return None
        camera = self.camera
        pieces = crops(frame.width, frame.height, camera.region, camera.tiling)
        return Inspection(frame, pieces, self._place.duty.begin(), camera.region)

    def _have_begun(self, inspection: Inspection) -> None:
        inspection.n_begun += 1
        if inspection.n_begun == 1:
            self._on_engine.append(inspection)
        self._beginning = None if inspection.is_begun else inspection
        if self._beginning is None:
            self._slot.used()

    # ------------------------------------------------------------ the answers' thread

    def settle(self) -> None:
        """Deal with every answer whose turn has come, and with the end."""
        while inspection := self._next_answered():
            verdict = inspection.verdict()
            if isinstance(verdict, Detections):
                self._is_failing = False
                self._deal_with(inspection, verdict)
            else:
                self._fail(verdict)
        if self._is_stopped and not self._on_engine and not self._ended.is_set():
            self._desk.tell(self._watching.end(self._place.around.now()))
            self._ended.set()

    def end_unseen(self) -> None:
        """End the events of a camera that shows nothing any more: its cable may have been cut."""
        if self._desk.has_running and time.monotonic() - self._looked > _UNSEEN_S:
            self._desk.tell(self._watching.end(self._place.around.now()))

    def oldest_begun(self) -> float | None:
        """Return when the frame that has been on the engine longest was put there, monotonic."""
        with self._lock:
            return self._on_engine[0].begun if self._on_engine else None

    def _next_answered(self) -> Inspection | None:
        with self._lock:
            if self._on_engine and self._on_engine[0].is_answered:
                return self._on_engine.popleft()
        return None

    def _deal_with(self, inspection: Inspection, found: Detections) -> None:
        place, camera, frame = self._place, self.camera, inspection.frame
        self._follow(camera, inspection.network)
        self._looked = time.monotonic()
        seen = self._watching.look(found, frame, tampered=self._gatekeeper.tampered)
        self._gatekeeper.tracked_are(seen.boxes)
        packed = pack_detections(seen.shown, width=frame.width, height=frame.height)
        latency = (place.around.now() - frame.captured_at).total_seconds() * 1000.0
        place.append(
            Result(
                camera.camera_id,
                frame.captured_at,
                inspection.network.bundle,
                packed,
                count_started(seen.started),
                max(0.0, latency),
                self._features(inspection),
                count_entered(seen.entered),
            )
        )
        place.health.frame_analysed(
            camera.camera_id, width=frame.width, height=frame.height, latency_s=latency / 1000.0
        )
        exposure = self._exposure(inspection, found)
        self._desk.tell(seen.happenings)
        self._desk.show(seen, exposure)
        self._gatekeeper.events_run(are_running=self._desk.has_running)
        self._show(inspection, exposure, packed)
        keep, self._turn = decide(
            camera.samples, self._turn, seen.tracked, at=frame.captured_at, dice=place.around.dice
        )
        if keep is not None:
            self._keep(inspection, exposure, seen, keep)

    def _follow(self, camera: DesiredCamera, network: Network) -> None:
        """Go on with other settings, or with another network's answers.

        If it has other words for what it sees, tracks and events begin anew.
        """
        if camera is not self._watched:
            self._watched = camera
            self._desk.tell(self._watching.tune(camera))
        if network.labels != self._labels:
            self._labels = network.labels
            self._desk.tell(self._watching.end(self._place.around.now()))
            self._watching = self._watch_anew()

    def _watch_anew(self) -> Watching:
        return Watching(
            self._watched, bundle_labels=self._labels, ids=self._place.ids, new_id=uuid4
        )

    def _exposure(self, inspection: Inspection, found: Detections) -> Exposure:
        privacy = self.camera.privacy
        people = people_in(found, self._labels) if privacy.hides_faces else None
        return Exposure(inspection.frame, privacy, inspection.region, people)

    def _features(self, inspection: Inspection) -> FrameFeatures | None:
        """Return what the camera's pictures are like, now and then."""
        features, at = self._gatekeeper.features, inspection.frame.captured_at
        before = self._featured_at
        if features is None or (before and timedelta(0) <= at - before < _FEATURES_EVERY):
            return None
        self._featured_at = at
        network = inspection.network
        embedding = self._take_embedding(network)
        self._place.embedder.ask(
            network.engine, inspection.frame, partial(self._remember_embedding, network)
        )
        return FrameFeatures(
            features.brightness,
            features.contrast,
            features.sharpness,
            features.noise,
            features.motion,
            b"" if embedding is None else embedding.astype(np.float16).tobytes(),
        )

    def _take_embedding(self, network: Network) -> Embedding | None:
        """Return what has come since the last time; another network's would be taken for ours."""
        remembered, self._embedding = self._embedding, None
        if remembered is None or remembered[0] is not network:
            return None
        return remembered[1]

    def _remember_embedding(self, network: Network, embedding: Embedding) -> None:
        self._embedding = network, embedding

    def _show(self, inspection: Inspection, exposure: Exposure, packed: bytes) -> None:
        if self._video.is_running or self._main_video.is_running:
            self._place.live.put_boxes(
                LiveBoxes(
                    camera_id=self.camera.camera_id,
                    captured_at=exposure.frame.captured_at,
                    bundle=inspection.network.bundle,
                    detections=packed,
                )
            )
        view = self._place.live.turn_of(self.camera.camera_id)
        if view is None:
            return

        def put(developed: Developed) -> None:
            picture = LivePicture(
                camera_id=view.camera_id,
                captured_at=exposure.frame.captured_at,
                width=developed.width,
                height=developed.height,
                bundle=inspection.network.bundle,
                detections=packed,
                jpeg=developed.jpeg,
            )
            self._place.live.put(picture)

        self._place.darkroom.show(view.camera_id, exposure, view.max_width, put)

    def _keep(self, inspection: Inspection, exposure: Exposure, seen: Seen, keep: Keep) -> None:
        camera_id, frame = self.camera.camera_id, exposure.frame
        doubtful = seen.tracked.scores >= self.camera.samples.low_score
        packed = pack_detections(seen.tracked[doubtful], width=frame.width, height=frame.height)

        def append(developed: Developed) -> None:
            sample = SampleOffered(
                camera_id=camera_id,
                captured_at=frame.captured_at,
                bundle=inspection.network.bundle,
                detections=packed,
                reason=keep.reason,
                score=keep.score,
                width=developed.width,
                height=developed.height,
                jpeg=developed.jpeg,
            )
            self._place.append(sample)

        self._place.darkroom.keep(camera_id, exposure, append)

    # ------------------------------------------------------------ any thread

    def _may_show(self) -> bool:
        """Return whether the camera's own packets may be seen: what is in them is not covered."""
        return not self.camera.privacy.is_needed

    def _clip_made(self, event_id: UUID, clip: ClipMade) -> None:
        self._desk.clip_made(event_id, clip)

    def _fail(self, failure: InferenceFailed) -> None:
        if self._is_stopped:
            return  # nobody wants that frame any more
        self._place.health.frame_dropped(self.camera.camera_id, "inference_failed")
        if not self._is_failing:
            self._is_failing = True
            log.warning("inference.failed", camera=self.camera.name, reason=str(failure))

    def _count_superseded(self) -> None:
        self._place.health.frame_dropped(self.camera.camera_id, "engine_busy")
