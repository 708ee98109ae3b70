"""What a picture looks like, in so few bytes that thousands can be compared: alike, or unlike.

Made for "have labelers seen this already?", not for what is in it: no network, no training.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

_Values: TypeAlias = NDArray[np.floating[Any]]

_SIDE: Final = 6
"""The appearance is one of so many squares by as many."""
_FINEST: Final = 9
"""Pixels that every side needs; a smaller picture is enlarged."""
_BRIGHTER: Final = 0.01
"""By so much at least, or noise would decide where a wall is even."""
_SLOPE: Final = 4.0
"""Edges between neighbours are small next to colours; this makes them weigh about the same."""
_WEIGHTS: Final = np.array([0.114, 0.587, 0.299], np.float32)
"""Of blue, green and red in what is bright."""


class Look(NamedTuple):
    """A picture in few bytes."""

    fingerprint: int
    """64 bits, signed: is each of 8 x 8 places brighter than its neighbour to the left?"""
    appearance: bytes
    """Float16: the colours of 6 x 6 places, and how much goes on in each."""


def look_of(bgr: NDArray[np.uint8]) -> Look:
    """Return what a picture (height, width, 3) looks like."""
    times = -(-_FINEST // min(bgr.shape[:2]))
    if times > 1:
        bgr = bgr.repeat(times, axis=0).repeat(times, axis=1)
    colours = bgr.astype(np.float32) / 255.0
    luma = colours @ _WEIGHTS
    brighter = np.diff(_means(luma, 8, 9), axis=1) > _BRIGHTER
    fingerprint = int.from_bytes(np.packbits(brighter).tobytes(), signed=True)
    edges = np.abs(np.diff(luma, axis=1))[:-1] + np.abs(np.diff(luma, axis=0))[:, :-1]
    places = np.dstack((_means(colours, _SIDE, _SIDE), _SLOPE * _means(edges, _SIDE, _SIDE)))
    return Look(fingerprint, places.astype("<f2").tobytes())


def novelty(appearance: bytes, others: Sequence[bytes]) -> float:
    """Return how far the nearest of `others` is: 0 the same, 1 as far as can be; 1 without any."""
    if not others:
        return 1.0
    known = np.frombuffer(b"".join(others), "<f2").reshape(len(others), -1).astype(np.float32)
    apart = known - np.frombuffer(appearance, "<f2").astype(np.float32)
    return float(min(np.sqrt((apart * apart).mean(axis=1)).min(), 1.0))


def _means(values: _Values, rows: int, columns: int) -> _Values:
    """Return the means of `values` (height, width, ...) over a grid of rows x columns."""
    height, width = values.shape[:2]
    down = np.linspace(0, height, rows + 1).astype(np.intp)
    across = np.linspace(0, width, columns + 1).astype(np.intp)
    sums = np.add.reduceat(np.add.reduceat(values, down[:-1], axis=0), across[:-1], axis=1)
    sizes = np.outer(np.diff(down), np.diff(across)).astype(np.float32)
    result: _Values = sums / sizes.reshape(sizes.shape + (1,) * (values.ndim - 2))
    return result
