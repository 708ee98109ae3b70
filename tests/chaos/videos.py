"""Videos in which every picture is another: patches of colour wander over black."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.processing.media.videos import write_video
from tests.processing.tiny_bundle import CELL, COLOURS, LABELS, SIDE

_CELLS: Final = SIDE // CELL
_PATCH: Final = 2 * CELL


def write_wandering(path: Path, *, camera: int, fps: int, n: int = 300) -> Path:
    """Write `n` pictures, in which the tiny bundle finds other boxes for every camera."""
    return write_video(path, _wandering(camera, n), codec="ffv1", pixels="bgr0", fps=fps)


def _wandering(camera: int, n: int) -> Iterator[NDArray[np.uint8]]:
    for number in range(n):
        picture = np.zeros((SIDE, SIDE, 3), np.uint8)
        for patch in range(1 + (number // 7 + camera) % 3):
            x = CELL * ((number // 2 + 3 * patch + camera) % (_CELLS - 1))
            y = CELL * ((number // 5 + 2 * patch + 2 * camera) % (_CELLS - 1))
            colour = COLOURS[LABELS[(patch + camera) % len(LABELS)]]
            picture[y : y + _PATCH, x : x + _PATCH] = colour
        yield picture
