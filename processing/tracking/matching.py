"""Which box of this frame is which thing: the best assignment over all pairs."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Indices = NDArray[np.intp]
_NEXT_TO_NOTHING: Final = 1e-9
Edges = NDArray[np.float64]
"""(4, n): a row each of x0, y0, x1, y1. Rows make the arithmetic on many pairs twice as fast."""


def overlaps(first: Edges, second: Edges) -> NDArray[np.float64]:
    """Return intersection over union (n, m) of boxes (4, n) and (4, m); 0 for empty ones."""
    sides = np.minimum(first[2:, :, None], second[2:, None, :])
    sides -= np.maximum(first[:2, :, None], second[:2, None, :])
    np.maximum(sides, 0.0, out=sides)
    shared: NDArray[np.float64] = sides[0]
    shared *= sides[1]
    # Next to nothing is added, so that the union of two that are empty can be divided by.
    union = (_areas(first) + _NEXT_TO_NOTHING)[:, None] + _areas(second)
    union -= shared
    shared /= union
    return shared


def match(weights: NDArray[np.float64]) -> tuple[Indices, Indices]:
    """Return the pairing (n, m) with the greatest total weight; a weight of 0 is never a pair."""
    rows, columns = linear_sum_assignment(weights, maximize=True)
    is_pair = weights[rows, columns] > 0.0
    return rows[is_pair], columns[is_pair]


def _areas(edges: Edges) -> NDArray[np.float64]:
    sides = edges[2:] - edges[:2]
    result: NDArray[np.float64] = sides[0] * sides[1]
    return result
