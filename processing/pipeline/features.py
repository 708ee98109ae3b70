"""What a frame is like, whatever is in it: five cheap figures for data quality and drift.

All are taken from luma stretched to 0..255, so that they mean what they mean for a grey picture in
a file; only the noise is in steps of luma as the camera sends it.
"""

from dataclasses import dataclass
from math import pi, sqrt
from typing import Final

import cv2
import numpy as np

from processing.pipeline.small_luma import BLACK, WHITE, halved
from processing.vision.frame import Frame, Plane

_WIDTH: Final = 320
"""Sharpness depends on scale, so it is always measured at this one."""
_BELOW_ROWS: Final = 360
"""Halving to 180 to 359 rows first makes the rest of the way cheap."""
_N_STRIPS: Final = 36
"""Each three rows high, at full resolution: noise is what averaging takes away."""
_MASK: Final = 3
_RANGE: Final = float(WHITE - BLACK)
_STRETCH: Final = 255.0 / _RANGE


@dataclass(frozen=True, slots=True)
class ImageFeatures:
    """See `processing.wire.messages.FrameFeatures`."""

    brightness: float
    """Mean luma, 0 black to 1 white."""
    contrast: float
    """Standard deviation of luma, 0..0.5."""
    sharpness: float
    """Variance of the Laplacian of luma (0..255), of a picture scaled to 320 wide; 0 or more.

    A focus measure that does well among many (Pech-Pacheco et al., ICPR 2000).
    """
    noise: float
    """Standard deviation of sensor noise in steps of luma; 0 or more.

    Immerkaer, "Fast noise variance estimation" (CVIU 1996). Texture of a pixel's size passes for
    noise, so it is an upper bound; in a flat picture it is exact.
    """
    motion: float
    """Share of the picture that moves, 0..1."""


def measure(frame: Frame, *, motion: float) -> ImageFeatures:
    """Return the features of a frame, of which this share (0..1) moves; see `MotionGate.motion`."""
    small = _scaled(frame.y)
    mean, deviation = cv2.meanStdDev(small)
    brightness = (float(mean[0, 0]) - BLACK) / _RANGE
    return ImageFeatures(
        brightness=min(max(brightness, 0.0), 1.0),
        contrast=min(float(deviation[0, 0]) / _RANGE, 0.5),
        sharpness=_sharpness(small),
        noise=_noise(frame.y),
        motion=min(max(motion, 0.0), 1.0),
    )


def _scaled(luma: Plane) -> Plane:
    """Return luma 320 wide, by averages where it was wider."""
    luma = halved(luma, below=_BELOW_ROWS)
    height, width = luma.shape
    if width == _WIDTH:
        return luma
    size = (_WIDTH, max(1, round(height * _WIDTH / width)))
    how = cv2.INTER_AREA if width > _WIDTH else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(luma, size, interpolation=how), np.uint8)


def _sharpness(small: Plane) -> float:
    _, deviation = cv2.meanStdDev(cv2.Laplacian(small, cv2.CV_16S))
    return float(deviation[0, 0] * _STRETCH) ** 2


def _noise(luma: Plane) -> float:
    """Return Immerkaer's estimate: the mean of |N * luma|, N the difference of two Laplacians.

    N = [1 -2 1; -2 4 -2; 1 -2 1] is a second difference down, then one across; of white noise
    it has six times the deviation.
    """
    height, width = luma.shape
    if min(height, width) < _MASK:
        return 0.0
    rows = np.unique(np.linspace(1, height - 2, min(_N_STRIPS, height - 2)).astype(np.intp))
    above, here, below = (luma[rows + step].astype(np.int16) for step in (-1, 0, 1))
    down = above + below - 2 * here
    across = down[:, :-2] + down[:, 2:] - 2 * down[:, 1:-1]
    return sqrt(pi / 2) * float(np.abs(across).mean()) / 6.0
