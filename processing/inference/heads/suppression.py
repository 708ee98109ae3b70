"""Non-maximum suppression, class by class."""

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.inference.thresholds import Thresholds
from processing.vision.detections import Boxes, Detections


def suppress(
    boxes: Boxes, scores: NDArray[np.float32], labels: NDArray[np.intp], thresholds: Thresholds
) -> Detections:
    """Return the best of each heap of overlapping boxes of one class, best first.

    Boxes that are not numbers, which a broken network gives, are left out.
    """
    is_real = np.isfinite(boxes).all(axis=1)
    if not is_real.all():
        boxes, scores, labels = boxes[is_real], scores[is_real], labels[is_real]
    if not len(scores):
        return Detections.empty()
    corners_and_sides = boxes.astype(np.float64)
    corners_and_sides[:, 2:] -= corners_and_sides[:, :2]
    kept = cv2.dnn.NMSBoxesBatched(
        corners_and_sides,  # type: ignore[arg-type]  # the stub knows sequences only
        scores,  # type: ignore[arg-type]
        labels,  # type: ignore[arg-type]
        score_threshold=0.0,
        nms_threshold=thresholds.nms_iou,
    )
    best = np.asarray(kept, np.intp)
    best = best[np.argsort(-scores[best], kind="stable")][: thresholds.max_detections]
    return Detections(boxes[best], scores[best], labels[best].astype(np.int32))
