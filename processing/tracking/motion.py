"""Where tracked things are and will be: constant velocity, corrected by what is seen.

A fixed-gain filter (what a Kalman filter settles to) on centre and size, for all tracks at once.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.vision.detections import Boxes

_CENTRE_GAIN: Final = 0.85
"""How far a new box moves the estimate of the centre; the rest is inertia against jitter."""
_SIZE_GAIN: Final = 0.6
_VELOCITY_GAIN: Final = 0.5


def _pairs() -> NDArray[np.float64]:
    return np.empty((0, 2))


@dataclass(slots=True)
class Motion:
    """Centre, size and velocity of n things; pixels and pixels a second, (n, 2) float64 each."""

    centres: NDArray[np.float64] = field(default_factory=_pairs)
    sizes: NDArray[np.float64] = field(default_factory=_pairs)
    velocities: NDArray[np.float64] = field(default_factory=_pairs)

    def predict(self, seconds: NDArray[np.float64]) -> Boxes:
        """Return the boxes (n, 4) that many seconds (n,) after each was last corrected."""
        centres = self.centres + self.velocities * seconds[:, None]
        half = self.sizes / 2.0
        return np.hstack((centres - half, centres + half)).astype(np.float32)

    def correct(
        self,
        which: NDArray[np.intp],
        boxes: Boxes,
        *,
        seconds: NDArray[np.float64],
        is_first: NDArray[np.bool_],
    ) -> None:
        """Take what was seen (k, 4) of things `which`, that long (k,) after their last correction.

        With the first correction of a thing its velocity is known for the first time, so it is
        taken whole.
        """
        centres, sizes = centres_and_sizes(boxes)
        elapsed = np.maximum(seconds, 1e-3)[:, None]
        expected = self.centres[which] + self.velocities[which] * elapsed
        surprise = centres - expected
        gain = np.where(is_first, 1.0, _VELOCITY_GAIN)[:, None]
        self.velocities[which] += gain * surprise / elapsed
        self.centres[which] = expected + _CENTRE_GAIN * surprise
        self.sizes[which] += _SIZE_GAIN * (sizes - self.sizes[which])

    def add(self, boxes: Boxes) -> None:
        """Append things at rest."""
        centres, sizes = centres_and_sizes(boxes)
        self.centres = np.vstack((self.centres, centres))
        self.sizes = np.vstack((self.sizes, sizes))
        self.velocities = np.vstack((self.velocities, np.zeros_like(centres)))

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Forget all others."""
        self.centres = self.centres[mask]
        self.sizes = self.sizes[mask]
        self.velocities = self.velocities[mask]


def centres_and_sizes(boxes: Boxes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the centres (n, 2) and sizes (n, 2) of boxes (n, 4)."""
    corners = boxes.astype(np.float64)
    return (corners[:, :2] + corners[:, 2:]) / 2.0, corners[:, 2:] - corners[:, :2]
