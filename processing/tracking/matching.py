"""Which box of this frame is which track: the best assignment over all pairs."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from processing.vision.detections import Boxes
from processing.vision.geometry import iou_matrix

Indices = NDArray[np.intp]


class Matches(NamedTuple):
    """Pairs, and what is left over; indices into the two sides that were matched."""

    first: Indices
    second: Indices
    lonely_first: Indices
    lonely_second: Indices


def overlap(
    first: Boxes,
    first_labels: NDArray[np.int32],
    second: Boxes,
    second_labels: NDArray[np.int32],
) -> NDArray[np.float32]:
    """Return IoU (n, m), 0 between boxes of different classes."""
    same = first_labels[:, None] == second_labels[None, :]
    result: NDArray[np.float32] = np.where(same, iou_matrix(first, second), np.float32(0.0))
    return result


def match(weights: NDArray[np.float32]) -> Matches:
    """Return the pairing (n, m) with the greatest total weight; a weight of 0 is never a pair."""
    n, m = weights.shape
    rows, columns = linear_sum_assignment(weights, maximize=True)
    good = weights[rows, columns] > 0.0
    rows, columns = rows[good], columns[good]
    return Matches(
        rows,
        columns,
        _others(n, rows),
        _others(m, columns),
    )


def _others(n: int, taken: Indices) -> Indices:
    is_left = np.ones(n, np.bool_)
    is_left[taken] = False
    return np.flatnonzero(is_left)
