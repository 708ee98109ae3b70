"""What is really in a picture, as a person drew it: the other half of a measurement."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processing.vision.detections import Boxes


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """n things in one picture."""

    xyxy: Boxes
    """(n, 4) float32, pixels."""
    labels: NDArray[np.int32]
    """(n,)."""
    is_crowd: NDArray[np.bool_]
    """(n,); a crowd may be found any number of times, or not at all."""
    areas: NDArray[np.float32]
    """(n,) square pixels of the thing itself, which may be less than its box."""
