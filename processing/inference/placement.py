"""Where a picture lands in the network's input, and the way back for boxes."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from processing.inference.input_spec import InputSpec
from processing.vision.detections import Boxes
from processing.vision.geometry import clip


@dataclass(frozen=True, slots=True)
class Placement:
    """A picture inside the input. Its four numbers are even: chroma has half of each."""

    left: int
    top: int
    width: int
    height: int
    picture_width: int
    picture_height: int

    def to_picture(self, boxes: Boxes) -> Boxes:
        """Return boxes (n, 4) given in pixels of the input, in pixels of the picture, clipped."""
        x, y = self.picture_width / self.width, self.picture_height / self.height
        scale = np.array([x, y, x, y], np.float32)
        offset = np.array([self.left, self.top] * 2, np.float32)
        return clip((boxes - offset) * scale, width=self.picture_width, height=self.picture_height)


@lru_cache(maxsize=256)
def place(spec: InputSpec, picture_width: int, picture_height: int) -> Placement:
    """Return where a picture of this size goes."""
    width, height = spec.width, spec.height
    if spec.resize != "stretch":
        ratio = min(spec.width / picture_width, spec.height / picture_height)
        width = _even(picture_width * ratio, at_most=spec.width)
        height = _even(picture_height * ratio, at_most=spec.height)
    left = top = 0
    if spec.resize == "letterbox-center":
        left = (spec.width - width) // 4 * 2
        top = (spec.height - height) // 4 * 2
    return Placement(left, top, width, height, picture_width, picture_height)


def _even(length: float, *, at_most: int) -> int:
    return max(2, min(round(length / 2) * 2, at_most))
