"""A second look, by a better network, at what a cheap one is in doubt of.

Which parts of a picture are worth a second look, and what both looks make together. Who looks, and
where, is not known here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.pipeline.tiling import Crop, merge
from processing.vision.detections import Boxes, Detections

MARGIN: Final = 0.5
"""Of each side of a box, on all four sides: networks know things by what is around them."""
LEAST_SHARE: Final = 0.25
"""No crop's side is less of the picture's: a smaller one is blown up until it is a blur."""
MOST_CROPS: Final = 4
WORTH_ALL: Final = 0.5
"""Crops that cover more of the picture together give way to all of it, which is one look."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Scores from `low` to `high`: neither surely something, nor surely nothing."""

    low: float
    high: float

    def of(self, found: Detections) -> NDArray[np.bool_]:
        """Return (n,): which are in doubt."""
        return np.asarray((found.scores >= self.low) & (found.scores <= self.high), np.bool_)


def doubtful_crops(found: Detections, doubt: Doubt, *, width: int, height: int) -> tuple[Crop, ...]:
    """Return where to look again, apart from each other; nothing if nothing is in doubt.

    At most `MOST_CROPS`, those with the highest scores in them, as those are the likeliest to
    become something.
    """
    chosen = found[doubt.of(found)]
    order = np.argsort(-chosen.scores, kind="stable")
    apart = _joined(_grown(chosen.xyxy[order], width=width, height=height))
    crops = [_crop(box, width=width, height=height) for box in apart[:MOST_CROPS]]
    covered = sum(crop.width * crop.height for crop in crops)
    if covered > WORTH_ALL * width * height:
        return (Crop(0, 0, width, height),)
    return tuple(crops)


def settle(
    found: Detections,
    doubt: Doubt,
    looks: Sequence[tuple[Crop, Detections]],
    *,
    width: int,
    height: int,
) -> Detections:
    """Return what both networks say together, in pixels of the picture.

    Where the second has looked it decides about what was in doubt, and adds what the first did not
    see; what the first was sure of stays. Of a look at all of the picture, nothing else counts.
    """
    whole = Crop(0, 0, width, height)
    for crop, again in looks:
        if crop == whole:
            return again
    stays = ~(doubt.of(found) & _is_within(found.xyxy, [crop for crop, _ in looks]))
    return merge([(whole, found[stays]), *looks])


def _grown(boxes: Boxes, *, width: int, height: int) -> list[NDArray[np.float32]]:
    """Return boxes with what is around them, inside the picture."""
    size = np.array([width, height], np.float32)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    sides = (boxes[:, 2:] - boxes[:, :2]) * np.float32(1.0 + 2.0 * MARGIN)
    sides = np.clip(sides, size * np.float32(LEAST_SHARE), size)
    starts = np.clip(centres - sides / 2, 0.0, size - sides)
    return list(np.hstack([starts, starts + sides]).astype(np.float32))


def _joined(boxes: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
    """Return the boxes, those that touch as one around both; the first of them gives the place."""
    apart: list[NDArray[np.float32]] = []
    for box in boxes:
        joined, place = box, len(apart)
        while (
            other := next((n for n, each in enumerate(apart) if _touch(each, joined)), None)
        ) is not None:
            joined = np.concatenate(
                [np.minimum(apart[other][:2], joined[:2]), np.maximum(apart[other][2:], joined[2:])]
            )
            del apart[other]
            place = min(place, other)
        apart.insert(place, joined)
    return apart


def _touch(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    return bool((one[:2] < other[2:]).all() and (other[:2] < one[2:]).all())


def _crop(box: NDArray[np.float32], *, width: int, height: int) -> Crop:
    """Return the crop around a box: begun at even pixels, ended there or at the picture's end."""
    left, top = (2 * int(side / 2) for side in box[:2].tolist())
    right, bottom = (2 * ceil(side / 2) for side in box[2:].tolist())
    return Crop(left, top, min(right, width) - left, min(bottom, height) - top)


def _is_within(boxes: Boxes, crops: Sequence[Crop]) -> NDArray[np.bool_]:
    """Return (n,): which boxes have their centre in one of the crops."""
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    is_within = np.zeros(len(boxes), np.bool_)
    for crop in crops:
        is_within |= (x >= crop.left) & (x < crop.right) & (y >= crop.top) & (y < crop.bottom)
    return is_within
