"""Boxes as arrays: areas, overlaps, clipping. Nothing here knows what is in a box."""

import numpy as np
from numpy.typing import NDArray

from processing.vision.detections import Boxes


def areas(boxes: Boxes) -> NDArray[np.float32]:
    """Return the areas (n,) of boxes (n, 4); a box turned inside out has none."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0.0)
    result: NDArray[np.float32] = sides[:, 0] * sides[:, 1]
    return result


def iou_matrix(first: Boxes, second: Boxes) -> NDArray[np.float32]:
    """Return intersection over union (n, m) of boxes (n, 4) and (m, 4); 0 where both are empty."""
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.maximum(bottom_right - top_left, 0.0)
    shared = sides[..., 0] * sides[..., 1]
    union = areas(first)[:, None] + areas(second)[None, :] - shared
    result: NDArray[np.float32] = np.divide(
        shared, union, out=np.zeros_like(shared), where=union > 0.0
    )
    return result


def clip(boxes: Boxes, *, width: float, height: float) -> Boxes:
    """Return the part of each box (n, 4) that lies in a picture of this size."""
    limits = np.array([width, height, width, height], np.float32)
    return np.clip(boxes, np.float32(0.0), limits)
