"""Between a camera and the engine: what its pictures are like, and which are worth a look."""

from datetime import datetime, timedelta
from typing import Final

import numpy as np

from edge_agent.health import Health
from edge_agent.slot import FrameSink
from processing.pipeline.features import ImageFeatures, measure
from processing.pipeline.motion_gate import MotionGate
from processing.pipeline.tampering import TamperWatch
from processing.vision.detections import Boxes
from processing.vision.frame import Frame
from processing.wire.camera import DesiredCamera
from processing.wire.messages import ImageState

_MEASURED_EVERY: Final = timedelta(seconds=0.25)
_WATCHED_EVERY: Final = timedelta(seconds=1)
"""While the rules wait for something that need not move: an event's end, a lens that is covered."""
_NOTHING: Final = np.empty((0, 4), np.float32)


class Gatekeeper:
    """A `FrameSink` of one camera's capture, and what is known of its pictures."""

    def __init__(self, camera: DesiredCamera, slot: FrameSink, *, health: Health) -> None:
        self._camera = camera
        self._slot = slot
        self._health = health
        self._gate = MotionGate(camera.gate)
        self._tamper_watch = TamperWatch()
        self._tracked = _NOTHING
        self._are_events_running = False
        self._handed_at: datetime | None = None
        self._measured_at: datetime | None = None
        self.features: ImageFeatures | None = None
        """Of the frame that was measured last."""
        self.tampered: str | None = None
        """What somebody has done to the camera, in a word."""

    def put(self, frame: Frame) -> None:
        """Measure the frame if it is time to, and hand it on if it is worth a look."""
        is_due = self._is_due(frame.captured_at)
        if not (is_due or self._camera.gate.is_on):
            self._slot.put(frame)
            return
        glance = self._gate.look(frame.y, frame.captured_at, self._tracked)
        if is_due:
            self._measure(frame, glance.motion)
        if glance or not self._camera.gate.is_on or self._is_awaited(frame.captured_at):
            self._handed_at = frame.captured_at
            self._slot.put(frame)
        else:
            self._health.frame_gated(self._camera.camera_id)

    def tune(self, camera: DesiredCamera) -> None:
        """Go on with other settings; what was learnt stays. For any thread."""
        self._camera = camera
        self._gate.tune(camera.gate)

    def tracked_are(self, boxes: Boxes) -> None:
        """Note where (n, 4 pixels) things are tracked: these are never gated away. As `tune`."""
        self._tracked = boxes

    def events_run(self, *, are_running: bool) -> None:
        """Note whether rules wait for the end of something. As `tune`."""
        self._are_events_running = are_running

    def _is_awaited(self, at: datetime) -> bool:
        """Return whether rules, which hear only of frames that are looked at, must hear of one."""
        if not self._are_events_running and self.tampered is None:
            return False
        before = self._handed_at
        return before is None or not timedelta(0) <= at - before < _WATCHED_EVERY

    def _is_due(self, at: datetime) -> bool:
        before = self._measured_at
        return before is None or not timedelta(0) <= at - before < _MEASURED_EVERY

    def _measure(self, frame: Frame, motion: float) -> None:
        self._measured_at = frame.captured_at
        features = measure(frame, motion=motion)
        self.features = features
        self.tampered = self._tamper_watch.look(frame, features, frame.captured_at)

        self._health.image_is(
            self._camera.camera_id,
            ImageState(
                brightness=features.brightness,
                contrast=features.contrast,
                sharpness=features.sharpness,
                noise=features.noise,
                motion=features.motion,
                tampered=self.tampered or "",
            ),
        )
