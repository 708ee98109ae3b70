"""Arrays to the wire's bytes; the only place that knows both."""

from collections import Counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.vision.detections import Detections
from processing.wire.limits import MAX_DETECTIONS
from processing.wire.packed import UNIT

RECORD: Final = np.dtype([("xyxy", "<u2", 4), ("score", "<u2"), ("label", "<u2"), ("track", "<u4")])
"""`processing.wire.packed.RECORD` for numpy."""


def pack_detections(detections: Detections, *, width: int, height: int) -> bytes:
    """Return the packed form of a frame's detections; the best ones if there are too many.

    Boxes are in pixels of a `width` x `height` picture; whatever reaches beyond it is cut off.
    """
    if len(detections) > MAX_DETECTIONS:
        best = np.argsort(detections.scores)[::-1][:MAX_DETECTIONS]
        detections = detections[np.sort(best)]
    records = np.zeros(len(detections), RECORD)
    sides = np.array([width, height, width, height], np.float32)
    records["xyxy"] = _units(detections.xyxy / sides)
    # Rounding keeps order, but a network may have said nonsense.
    records["xyxy"][:, 2:] = np.maximum(records["xyxy"][:, :2], records["xyxy"][:, 2:])
    records["score"] = _units(detections.scores)
    records["label"] = detections.labels
    records["track"] = detections.tracks
    return records.tobytes()


def count_started(labels: NDArray[np.int32]) -> tuple[tuple[int, int], ...]:
    """Return (label, count) pairs of the tracks that a frame began, for `Result.n_started`."""
    return tuple(sorted(Counter(int(label) for label in labels).items()))


def _units(shares: NDArray[np.float32]) -> NDArray[np.uint16]:
    # `fmax` and `fmin` take the other value where one is not a number.
    clipped = np.fmin(np.fmax(shares, np.float32(0.0)), np.float32(1.0))
    return np.rint(clipped * np.float32(UNIT)).astype(np.uint16)
