"""One network, a tracker each: a camera that is always looked at, and one behind the gate."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Final

import numpy as np

from processing.inference.detector import Detector
from processing.pipeline.motion_gate import MotionGate
from processing.tracking.bytetrack import Tracker
from processing.tracking.ids import track_ids
from processing.vision.detections import Boxes, Detections
from processing.vision.frame import Frame
from processing.vision.geometry import iou_matrix
from processing.wire.camera import MotionGate as GatePolicy

_SHOWN: Final = 0.4
_SAME: Final = 0.5
_LASTING_S: Final = 1.0
"""What the network sees for less is more often its mistake than a thing."""


@dataclass(slots=True, eq=False)
class Sights:
    """The tracks of one camera: when, what and where."""

    by_frame: dict[int, Detections] = field(default_factory=dict)
    frames_of: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def note(self, index: int, tracked: Detections) -> None:
        shown = tracked[(tracked.tracks != 0) & (tracked.scores >= _SHOWN)]
        self.by_frame[index] = shown
        for track in shown.tracks:
            self.frames_of[int(track)].append(index)


@dataclass(frozen=True, slots=True)
class Compared:
    """What the gate cost and what it saved."""

    n_frames: int
    saved: float
    """Share of the frames that the network was spared."""
    found: float
    """Share of the lasting tracks that are tracks behind the gate too; nan if there are none."""
    n_tracks: int
    late_s: float
    """By how much the gated camera tells of a track later, in the worst of 20; nan if none."""
    gate_ms: float
    """CPU of its thread, median per frame: others on the machine do not count."""


def compare(
    frames: Iterable[Frame],
    detector: Detector,
    policy: GatePolicy,
    *,
    fps: float,
    say: Callable[[str], None],
) -> Compared:
    """Look at every frame once and let both cameras see it. Raise `InferenceFailed` as it comes."""
    everything, gated = Sights(), Sights()
    full, thrifty = Tracker(track_ids(1), confident=_SHOWN), Tracker(track_ids(1), confident=_SHOWN)
    gate = MotionGate(policy)
    boxes: Boxes = np.empty((0, 4), np.float32)
    n_looks, gate_ms = 0, []
    for index, frame in enumerate(frames):
        found = detector.detect(frame)
        everything.note(index, full.update(found, frame.captured_at).detections)
        begun = time.thread_time()
        is_looked_at = bool(gate.look(frame.y, frame.captured_at, boxes))
        gate_ms.append(1000.0 * (time.thread_time() - begun))
        if is_looked_at:
            n_looks += 1
            tracked = thrifty.update(found, frame.captured_at).detections
            gated.note(index, tracked)
            boxes = tracked.xyxy[tracked.tracks != 0]
        if index % 50 == 0:
            say(f"frame {index}")
    n_frames = max(len(gate_ms), 1)
    lasting = _lasting_tracks(everything, fps)
    delays = [_delay(track, everything, gated) for track in lasting]
    late = [delay / fps for delay in delays if delay is not None]
    return Compared(
        n_frames=len(gate_ms),
        saved=1.0 - n_looks / n_frames,
        found=len(late) / len(lasting) if lasting else float("nan"),
        n_tracks=len(lasting),
        late_s=float(np.percentile(late, 95)) if late else float("nan"),
        gate_ms=median(gate_ms) if gate_ms else float("nan"),
    )


def _lasting_tracks(sights: Sights, fps: float) -> list[int]:
    return [
        track
        for track, seen in sights.frames_of.items()
        if (seen[-1] - seen[0]) / fps >= _LASTING_S
    ]


def _delay(track: int, everything: Sights, gated: Sights) -> int | None:
    """Return how many frames later the gated camera has the track; None if never."""
    seen = everything.frames_of[track]
    for index in seen:
        mine = gated.by_frame.get(index)
        if mine is None:
            continue
        theirs = everything.by_frame[index]
        [box] = np.flatnonzero(theirs.tracks == track)
        overlap = iou_matrix(theirs.xyxy[[box]], mine.xyxy)[0]
        if ((overlap >= _SAME) & (mine.labels == theirs.labels[box])).any():
            return index - seen[0]
    return None
