"""Where tracked things are and will be: constant velocity, corrected by what is seen.

An alpha-beta filter for the four edges of a box, for all things at once. Its gains are those that
fit best to the sights so far (Kalata 1984; 2(2k-1)/k(k+1) and 6/k(k+1) after k of them), down to
floors that let it follow what turns.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

States = NDArray[np.float64]
"""(13, n): a column a thing, its rows as named below."""

EDGES: Final = slice(0, 4)
"""x0, y0, x1, y1; pixels, in a plane where each class has a place of its own."""
SPEEDS: Final = slice(4, 8)
"""Of the edges; pixels a second."""
_MOVING: Final = slice(0, 8)
"""Edges and speeds."""
AGE: Final = 8
"""Seconds since it was last seen."""
SIGHTS: Final = 9
"""How often it has been seen."""
LABEL: Final = 10
NUMBER: Final = 11
"""Of the track; 0 until it is confirmed."""
PATIENCE: Final = 12
"""Seconds for which it is remembered without being seen; 0 until it is confirmed."""
N_ROWS: Final = 13

_ENOUGH_SIGHTS: Final = 8
"""From then on the gains stay as they are."""
_EDGE_FLOOR: Final = 0.7
_SPEED_FLOOR: Final = 0.25
_SHORTEST_S: Final = 0.03
"""Frames count as so far apart at least: jitter over less looks like speed."""


def _gains() -> NDArray[np.float64]:
    """Return (2, k): of edges and speeds, by the number of sights."""
    k = np.maximum(np.arange(_ENOUGH_SIGHTS + 1, dtype=np.float64), 1.0)
    edges = np.clip(2.0 * (2.0 * k - 1.0) / (k * (k + 1.0)), _EDGE_FLOOR, 1.0)
    speeds = np.clip(6.0 / (k * (k + 1.0)), _SPEED_FLOOR, 1.0)
    return np.stack((edges, speeds))


_GAINS: Final = _gains()


def nothing() -> States:
    """Return the states of no things."""
    return np.empty((N_ROWS, 0))


def at_rest(edges: NDArray[np.float64], labels: NDArray[np.int32]) -> States:
    """Return new things with these edges (4, n) and labels (n,), seen just now, without number."""
    states = np.zeros((N_ROWS, len(labels)))
    states[EDGES] = edges
    states[SIGHTS] = 1.0
    states[LABEL] = labels
    return states


def advance(states: States, seconds: float) -> None:
    """Move everything on, in place, to where it is expected that much later."""
    states[EDGES] += states[SPEEDS] * seconds
    states[AGE] += seconds


def correct(states: States, which: NDArray[np.intp], edges: NDArray[np.float64]) -> States:
    """Take what was seen, edges (4, k), of things `which` (k,); return their states (13, k)."""
    seen = states.take(which, axis=1)
    seen[SIGHTS] += 1.0
    gains = _GAINS.take(seen[SIGHTS].astype(np.intp), axis=1, mode="clip")
    gains[1] /= np.maximum(seen[AGE], _SHORTEST_S)
    surprise = edges - seen[EDGES]
    seen[_MOVING] += (gains[:, None] * surprise).reshape(len(_GAINS) * len(surprise), -1)
    seen[AGE] = 0.0
    states[:, which] = seen
    return seen
