"""Which of a network's thousands of scores are worth decoding at all."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_CANDIDATES: Final = 1000
"""Before suppression; a picture that has more is noise."""
MAX_EXPONENT: Final = 20.0
"""Of a side that a network gives as a logarithm; no picture is as large as e to its power."""


def above(
    scores: NDArray[np.float32], floor: float
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Return row, column and value of what is above the floor in `scores` (n, n_labels).

    At most the `MAX_CANDIDATES` best. What is not a number is above nothing.
    """
    flat = scores.reshape(-1)
    found = np.flatnonzero(flat > floor)
    found = found[strongest(flat[found])]
    rows, columns = np.divmod(found, scores.shape[1])
    return rows, columns, flat[found]


def strongest(scores: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the places of the best `MAX_CANDIDATES` of `scores` (n,), ascending."""
    if len(scores) <= MAX_CANDIDATES:
        return np.arange(len(scores))
    best = np.argpartition(-scores, MAX_CANDIDATES)[:MAX_CANDIDATES]
    best.sort()
    return best
