"""What a camera's view is like apart from its light: which way the edges run, and where.

Light comes and goes, lamps and infrared turn bright into dark; walls, kerbs and door frames stay.
So an edge counts by its direction alone, modulo half a turn, and hardly by its strength.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.pipeline.small_luma import halved
from processing.vision.frame import Plane

_BELOW_ROWS: Final = 136
_COARSE: Final = (20, 12)
"""Columns and rows of the picture that is left when everything fine is gone."""
_HALF_STEP: Final = 3.0
"""Steps of luma a pixel: an edge as faint as this counts half."""
_FAINT: Final = 2.0
"""An edge below this is noise."""
_TOLERANCE_PX: Final = 5
"""A camera that trembles in the wind still sees the same."""
_FLAT: Final = 1.0
"""Standard deviation, in steps of luma, below which there is no pattern at all."""


@dataclass(frozen=True, slots=True, eq=False)
class Impression:
    """Of a picture, or a running average over several."""

    edges: NDArray[np.float32]
    """(2, h, w): cosine and sine of twice the direction of the edge, weighted 0..1."""
    coarse: NDArray[np.float32]
    """(12, 20): luma."""
    strength: float
    """Mean steepness of the edges, in steps of luma a pixel of the small picture."""

    @classmethod
    def of(cls, luma: Plane) -> "Impression":
        """Return the impression of a picture's luma."""
        small = cv2.blur(halved(luma, below=_BELOW_ROWS), (3, 3))
        across = np.asarray(cv2.Sobel(small, cv2.CV_32F, 1, 0, scale=0.125), np.float32)
        down = np.asarray(cv2.Sobel(small, cv2.CV_32F, 0, 1, scale=0.125), np.float32)
        steepness = np.asarray(cv2.magnitude(across, down), np.float32)
        weight = steepness * (steepness + np.float32(_HALF_STEP)) + np.float32(1e-6)
        twice = np.stack([(across * across - down * down) / weight, 2 * across * down / weight])
        edges = np.stack([cv2.blur(each, (_TOLERANCE_PX, _TOLERANCE_PX)) for each in twice])
        coarse = cv2.resize(small, _COARSE, interpolation=cv2.INTER_AREA)
        return cls(
            edges.astype(np.float32),
            np.asarray(coarse, np.float32),
            float(np.maximum(steepness - np.float32(_FAINT), 0.0).mean()),
        )

    def towards(self, other: "Impression", weight: float) -> "Impression":
        """Return the average that has come this much (0..1) nearer to the other."""
        share = np.float32(weight)
        return Impression(
            self.edges + share * (other.edges - self.edges),
            self.coarse + share * (other.coarse - self.coarse),
            self.strength + weight * (other.strength - self.strength),
        )

    def likeness(self, other: "Impression") -> float:
        """Return how alike the edges run, -1..1: 1 for the same view in whatever light."""
        return _cosine(self.edges, other.edges)

    def coarse_likeness(self, other: "Impression") -> float:
        """Return the correlation of the coarse pictures, -1..1; 0 where one is flat."""
        mine, theirs = (each.coarse - each.coarse.mean() for each in (self, other))
        if min(mine.std(), theirs.std()) < _FLAT:
            return 0.0
        return _cosine(mine, theirs)


def _cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    a, b = first.ravel(), second.ravel()
    length = float(np.sqrt(np.dot(a, a)) * np.sqrt(np.dot(b, b)))
    return float(np.dot(a, b)) / length if length > 0.0 else 0.0
