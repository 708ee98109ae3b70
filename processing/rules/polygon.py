"""Which points lie in a polygon."""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""(n, 2) x, y."""


def inside(points: Points, corners: Points) -> NDArray[np.bool_]:
    """Return for each point (n, 2) whether it is in the polygon (k, 2); both in one unit.

    Even-odd rule: a ray to the right crosses the outline an odd number of times. Neighbours that
    share an edge share no point of it. A polygon without an area holds nothing.
    """
    x, y = points[:, 0, None], points[:, 1, None]
    ax, ay = corners[:, 0], corners[:, 1]
    bx, by = np.concatenate((corners[1:], corners[:1])).T
    is_level_with = (ay > y) != (by > y)
    # x < ax + (y - ay) (bx - ax) / (by - ay), without the division.
    rises = by - ay
    is_left_of = (x - ax) * np.abs(rises) < (y - ay) * (bx - ax) * np.sign(rises)
    result: NDArray[np.bool_] = (is_level_with & is_left_of).sum(axis=1) % 2 == 1
    return result
