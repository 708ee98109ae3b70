"""Where two who looked at one frame saw different things: boxes of one that the other has not."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.tracking.matching import match
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.vision.geometry import iou_matrix
from processing.wire.camera import DesiredCamera
from processing.wire.messages import Disagreement

_SAME_IOU: Final = 0.5
"""Two boxes of one class that overlap so far are the same thing, as in PASCAL VOC."""


def dissent(own: Detections, other: Detections) -> Disagreement | None:
    """Return how far they differ, labels by the same numbers; None where they do not."""
    is_same = own.labels[:, None] == other.labels[None, :]
    overlap = iou_matrix(own.xyxy, other.xyxy).astype(np.float64)
    pairs, _ = match(np.where(is_same & (overlap >= _SAME_IOU), overlap, 0.0))
    n_alone = len(own) + len(other) - 2 * len(pairs)
    if not n_alone:
        return None
    return Disagreement(n_things=n_alone + len(pairs), n_alone=n_alone)


def comparable(
    found: Detections,
    frame: Frame,
    camera: DesiredCamera,
    *,
    labels: tuple[str, ...],
    known: frozenset[int] | None,
) -> Detections:
    """Return what the camera calls seen and both could have: in no zone that one did not see.

    `known` are the numbers that both have words for; None: all.
    """
    numbers = range(len(labels)) if known is None else known
    wanted = [n for n in numbers if not camera.labels or labels[n] in camera.labels]
    is_seen = (found.scores >= camera.score_threshold) & np.isin(found.labels, wanted)
    for zone in camera.privacy.zones:
        is_seen &= ~_touches(found, frame, np.array(zone, np.float32))
    return found[is_seen]


def _touches(found: Detections, frame: Frame, zone: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which boxes overlap the rectangle around a zone: some of them was covered."""
    size = np.array([frame.width, frame.height], np.float32)
    low, high = zone.min(axis=0) * size, zone.max(axis=0) * size
    corners, ends = found.xyxy[:, :2], found.xyxy[:, 2:]
    result: NDArray[np.bool_] = ((corners < high) & (ends > low)).all(axis=1)
    return result
