"""The network's input as three planes, into which frames are drawn, one after another."""

from typing import Final

import cv2
import numpy as np

from processing.inference.input_spec import InputSpec
from processing.inference.placement import Placement, place
from processing.vision.frame import Frame, Plane

# Every request draws in a thread of its own, and networks keep all cores busy: more threads for one
# picture only change places with those, which costs a sixth of the drawing.
cv2.setNumThreads(1)

_BLACK: Final = 16
_WHITE: Final = 235
_GREY_CHROMA: Final = 128


class Canvas:
    """Owns its memory, so that a request may be bound to it once and for all."""

    def __init__(self, spec: InputSpec) -> None:
        self._spec = spec
        self._placement: Placement | None = None
        halves = (spec.height // 2, spec.width // 2)
        self.y: Plane = np.empty((spec.height, spec.width), np.uint8)
        self.u: Plane = np.empty(halves, np.uint8)
        self.v: Plane = np.empty(halves, np.uint8)

    def draw(self, frame: Frame) -> Placement:
        """Resize the frame's planes into place and return the place.

        Only the planes are resized, never a colour picture: a third of the work, and the network
        converts colours by itself.
        """
        placement = place(self._spec, frame.width, frame.height)
        if placement != self._placement:
            self._clear()
            self._placement = placement
        for source, target, step in (
            (frame.y, self.y, 1),
            (frame.u, self.u, 2),
            (frame.v, self.v, 2),
        ):
            _resize_into(source, target, placement, step)
        return placement

    def _clear(self) -> None:
        self.y.fill(_BLACK + round(self._spec.pad * (_WHITE - _BLACK) / 255))
        self.u.fill(_GREY_CHROMA)
        self.v.fill(_GREY_CHROMA)


def _resize_into(source: Plane, target: Plane, place_: Placement, step: int) -> None:
    top, left = place_.top // step, place_.left // step
    height, width = place_.height // step, place_.width // step
    window = target[top : top + height, left : left + width]
    cv2.resize(source, (width, height), dst=window, interpolation=cv2.INTER_LINEAR)
