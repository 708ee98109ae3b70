"""Arrays to the wire's bytes and back; the only place that knows both."""

from collections import Counter
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from processing.vision.detections import Detections
from processing.wire.limits import MAX_DETECTIONS
from processing.wire.messages import Entered
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


def unpack_detections(packed: bytes, *, width: int, height: int) -> Detections:
    """Return checked bytes as arrays; boxes in pixels of a `width` x `height` picture."""
    records = np.frombuffer(packed, RECORD)
    sides = np.array([width, height, width, height], np.float32) / np.float32(UNIT)
    return Detections(
        xyxy=records["xyxy"].astype(np.float32) * sides,
        scores=records["score"].astype(np.float32) / np.float32(UNIT),
        labels=records["label"].astype(np.int32),
        tracks=records["track"].astype(np.int64),
    )


def count_started(labels: NDArray[np.int32]) -> tuple[tuple[int, int], ...]:
    """Return (label, count) pairs of the tracks that a frame began, for `Result.n_started`."""
    return tuple(sorted(Counter(int(label) for label in labels).items()))


def count_entered(entered: Mapping[UUID, NDArray[np.int32]]) -> tuple[Entered, ...]:
    """Return what came into which zone, for `Result.entered`; the most if it is too much."""
    counted = [
        Entered(zone_id, label, n_tracks)
        for zone_id, labels in entered.items()
        for label, n_tracks in count_started(labels)
    ]
    return tuple(sorted(counted, key=lambda each: -each.n_tracks)[:MAX_DETECTIONS])


def _units(shares: NDArray[np.float32]) -> NDArray[np.uint16]:
    # `fmax` and `fmin` take the other value where one is not a number.
    clipped = np.fmin(np.fmax(shares, np.float32(0.0)), np.float32(1.0))
    return np.rint(clipped * np.float32(UNIT)).astype(np.uint16)
