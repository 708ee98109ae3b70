"""Hides in consecutive frames what nobody may see, heads that move included."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import numpy as np

from processing.media.masking import hide_all, mask, widened
from processing.vision.detections import Boxes
from processing.vision.frame import Frame
from processing.wire.camera import Privacy

HeadsOf: TypeAlias = Callable[[Frame], Boxes | None]
"""Returns where heads are in a frame, (n, 4) pixels; None when it cannot tell."""

_MOVED_SHARE: Final = 0.25
"""How far heads may have gone between two looks, as a share of their own size."""


class Veil:
    """Given frames a few at a time, looks for heads in the last, and hides them in all.

    What was found before stays hidden too: between two looks a head is near one or the other.
    Where nobody can tell where heads are, the whole picture is hidden: rather no clip to look at
    than a face in it.
    """

    def __init__(self, privacy: Privacy, heads_of: HeadsOf) -> None:
        self._zones: Final = privacy.zones
        self._heads_of: Final = heads_of if privacy.hides_faces else _no_heads
        self._before: Boxes | None = None

    def over(self, frames: Sequence[Frame]) -> list[Frame]:
        """Return as many frames of the same sizes, with nothing in them that must not be seen."""
        before = self._before if self._before is not None else self._heads_of(frames[0])
        after = self._heads_of(frames[-1])
        self._before = after
        if before is None or after is None:
            return [hide_all(frame) for frame in frames]
        boxes = widened(np.concatenate([before, after]), share=_MOVED_SHARE)
        return [mask(frame, self._zones, boxes) for frame in frames]


def _no_heads(_frame: Frame) -> Boxes:
    return np.empty((0, 4), np.float32)
