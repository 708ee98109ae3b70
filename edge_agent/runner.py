"""One camera from frame to outbox: capture, turn on the engine, track, rules, store, maybe show."""

import threading
import time
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID, uuid4

import numpy as np
import structlog

from edge_agent.capture import Capture
from edge_agent.darkroom import Developed
from edge_agent.duty import Network
from edge_agent.event_desk import EventDesk
from edge_agent.gatekeeper import Gatekeeper
from edge_agent.inspection import Inspection
from edge_agent.judging import Judging
from edge_agent.live_video import LiveVideoTap
from edge_agent.main_stream import MainStream
from edge_agent.overflow.errand import TurnedAway
from edge_agent.sample_desk import SampleDesk
from edge_agent.workplace import Workplace
from processing.inference.detector import Embedding, InferenceFailed
from processing.media.packets import PacketTap, Taps
from processing.pipeline.privacy import Exposure, people_in
from processing.pipeline.to_wire import count_entered, count_started, pack_detections
from processing.pipeline.watching import Watching
from processing.vision.detections import Detections
from processing.wire.camera import DesiredCamera
from processing.wire.messages import (
    ClipMade,
    FrameFeatures,
    LiveBoxes,
    LivePicture,
    Result,
)

_FEATURES_EVERY: Final = timedelta(seconds=10)
_UNSEEN_S: Final = 60.0
"""What ran when a camera was looked at last is not known to run any more after so long."""

log = structlog.get_logger()


class CameraRunner:
    """Its methods are called by different threads, each by one only, as they say."""

    def __init__(self, camera: DesiredCamera, place: Workplace) -> None:
        self.camera = camera
        self._place = place
        self._judging = Judging(camera, place, answered=partial(place.answered, self))
        self._gatekeeper = Gatekeeper(camera, self._judging.slot, health=place.health)
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
        self._samples = SampleDesk(camera.camera_id, place)
        # From here on, all is the answers' thread's.
        self._watched = camera
        self._labels = place.duty.network.labels
        self._watching = self._watch_anew()
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
        self._judging.stop()
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

    def tune(self, camera: DesiredCamera) -> None:
        """Go on with other settings of the same source."""
        self.camera = self._judging.camera = camera
        if not self._may_show():
            self._video.cut()
            self._main_video.cut()
        self._gatekeeper.tune(camera)
        self._capture.tune(camera)
        if self._recorder is not None:
            self._recorder.tune(camera.clips, camera.privacy)

    def despair_of(self, network: Network) -> None:
        """See `Judging.despair_of`."""
        self._judging.despair_of(network)

    # ------------------------------------------------------------ the scheduler's thread

    def use(self) -> bool | None:
        """See `edge_agent.scheduler.Turn`."""
        return self._judging.use()

    # ------------------------------------------------------------ the answers' thread

    def settle(self) -> None:
        """Deal with every answer whose turn has come, and with the end."""
        while inspection := self._judging.next_settled():
            match inspection.verdict():
                case Detections() as found:
                    self._is_failing = False
                    self._deal_with(inspection, found)
                case InferenceFailed() as failure:
                    self._fail(failure)
                case TurnedAway(kind):
                    self._place.health.frame_dropped(self.camera.camera_id, f"cloud_{kind}")
        if self._judging.is_over and not self._ended.is_set():
            self._desk.tell(self._watching.end(self._place.around.now()))
            self._ended.set()

    def end_unseen(self) -> None:
        """End the events of a camera that shows nothing any more: its cable may have been cut."""
        if self._desk.has_running and time.monotonic() - self._looked > _UNSEEN_S:
            self._desk.tell(self._watching.end(self._place.around.now()))

    def oldest_begun(self) -> float | None:
        """See `Judging.oldest_begun`."""
        return self._judging.oldest_begun()

    def _deal_with(self, inspection: Inspection, found: Detections) -> None:
        place, camera, frame = self._place, self.camera, inspection.frame
        self._follow(camera, inspection.network)
        self._looked = time.monotonic()
        seen = self._watching.look(found, frame, tampered=self._gatekeeper.tampered)
        self._gatekeeper.tracked_are(seen.boxes)
        tongue = inspection.tongue
        packed = pack_detections(tongue.tell(seen.shown), width=frame.width, height=frame.height)
        latency = (place.around.now() - frame.captured_at).total_seconds() * 1000.0
        place.append(
            Result(
                camera.camera_id,
                frame.captured_at,
                tongue.bundle,
                packed,
                count_started(tongue.tell_labels(seen.started)),
                max(0.0, latency),
                self._features(inspection),
                count_entered(
                    {zone: tongue.tell_labels(labels) for zone, labels in seen.entered.items()}
                ),
            )
        )
        place.health.frame_analysed(
            camera.camera_id,
            width=frame.width,
            height=frame.height,
            latency_s=latency / 1000.0,
            is_judged_here=inspection.is_judged_here,
        )
        if inspection.is_judged_here:
            place.cloud.judged_here(camera)
        exposure = self._exposure(inspection, found)
        self._desk.tell(seen.happenings)
        self._desk.show(seen, exposure)
        self._gatekeeper.events_run(are_running=self._desk.has_running)
        self._show(inspection, exposure, packed)
        self._samples.consider(camera, inspection, exposure, seen.tracked)

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
        embedding = self._next_embedding(inspection) if inspection.is_judged_here else None
        return FrameFeatures(
            features.brightness,
            features.contrast,
            features.sharpness,
            features.noise,
            features.motion,
            b"" if embedding is None else embedding.astype(np.float16).tobytes(),
        )

    def _next_embedding(self, inspection: Inspection) -> Embedding | None:
        """Return the embedding that was asked for last, and ask for this frame's."""
        network = inspection.network
        embedding = self._take_embedding(network)
        self._place.embedder.ask(
            network.engine, lambda: inspection.frame, partial(self._remember_embedding, network)
        )
        return embedding

    def _take_embedding(self, network: Network) -> Embedding | None:
        """Return what has come since the last time; another network's would be taken for ours."""
        remembered, self._embedding = self._embedding, None
        if remembered is None or remembered[0] is not network:
            return None
        return remembered[1]

    def _remember_embedding(self, network: Network, embedding: Embedding | None) -> None:
        if embedding is not None:
            self._embedding = network, embedding

    def _show(self, inspection: Inspection, exposure: Exposure, packed: bytes) -> None:
        if self._video.is_running or self._main_video.is_running:
            self._place.live.put_boxes(
                LiveBoxes(
                    camera_id=self.camera.camera_id,
                    captured_at=exposure.frame.captured_at,
                    bundle=inspection.tongue.bundle,
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
                bundle=inspection.tongue.bundle,
                detections=packed,
                jpeg=developed.jpeg,
            )
            self._place.live.put(picture)

        self._place.darkroom.show(view.camera_id, exposure, view.max_width, put)

    # ------------------------------------------------------------ any thread

    def _may_show(self) -> bool:
        """Return whether the camera's own packets may be seen: what is in them is not covered."""
        return not self.camera.privacy.is_needed

    def _clip_made(self, event_id: UUID, clip: ClipMade) -> None:
        self._desk.clip_made(event_id, clip)

    def _fail(self, failure: InferenceFailed) -> None:
        if self._judging.is_stopped:
            return  # nobody wants that frame any more
        self._place.health.frame_dropped(self.camera.camera_id, "inference_failed")
        if not self._is_failing:
            self._is_failing = True
            log.warning("inference.failed", camera=self.camera.name, reason=str(failure))
