"""The part of the picture that is looked at, in pieces, and what was found in them as one again.

A small thing fills more of a piece than of the whole, and the network sees a piece as large as it
would see the whole. The pieces overlap; what lies on a border is seen by both neighbours, by one of
them cut off, and is told once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from processing.vision.detections import Boxes, Detections
from processing.vision.frame import Frame
from processing.vision.geometry import areas, iou_matrix
from processing.wire.camera import Region, Tiling

_EDGE_PX: Final = 4.0
_EDGE_SHARE: Final = 0.015
"""A box that ends so near to a border is cut off by it; networks are not exact to the pixel."""
_SAME_IOU: Final = 0.5
_INSIDE: Final = 0.6
"""So much of a cut box in another makes it a part of that one."""
_ALONGSIDE: Final = 0.5
"""Two halves of one thing span the same rows (or columns), this much of the longer of the two."""
_SEVERAL: Final = -1
"""The piece of a box that was joined out of several."""


@dataclass(frozen=True, slots=True)
class Crop:
    """A piece of a picture, in pixels.

    All four are even, as chroma has half the resolution; a last column or row that is the odd
    one of the picture is part of the crop, so its width or height may be odd there.
    """

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height

    def cut(self, frame: Frame) -> Frame:
        """Return this piece of the frame, as views of its planes.

        Raise `ValueError` for a frame that is smaller than the picture the crop was made for.
        """
        if self.right > frame.width or self.bottom > frame.height:
            raise ValueError(f"{self} is not in a picture of {frame.width} x {frame.height}")
        rows, columns = slice(self.top, self.bottom), slice(self.left, self.right)
        half_rows = slice(self.top // 2, (self.bottom + 1) // 2)
        half_columns = slice(self.left // 2, (self.right + 1) // 2)
        return Frame(
            y=frame.y[rows, columns],
            u=frame.u[half_rows, half_columns],
            v=frame.v[half_rows, half_columns],
            captured_at=frame.captured_at,
        )


@lru_cache(maxsize=256)
def crops(width: int, height: int, region: Region, tiling: Tiling) -> tuple[Crop, ...]:
    """Return the pieces, row by row, that cover the region of a picture of this size wholly.

    Neighbours overlap by at least the share asked for, so a thing that is smaller than that is
    whole in one of them. Where there are several, the region as a whole comes last: without it a
    fifth of the large things are lost, for no piece shows them (measured on COCO with the default
    bundle). A region that is turned inside out or empty is the whole picture.
    """
    columns = _spans(width, region.left, region.right, tiling.columns, tiling.overlap)
    rows = _spans(height, region.top, region.bottom, tiling.rows, tiling.overlap)
    pieces = [
        Crop(left, top, right - left, bottom - top)
        for top, bottom in rows
        for left, right in columns
    ]
    first, last = pieces[0], pieces[-1]
    whole = Crop(first.left, first.top, last.right - first.left, last.bottom - first.top)
    return (whole,) if whole in pieces else (*pieces, whole)


def merge(parts: Sequence[tuple[Crop, Detections]]) -> Detections:
    """Return what was found in the pieces of one frame, in pixels of the whole frame.

    Of one piece the detections are only moved. Of several, each class by itself: halves of a thing
    that a border cuts in two are joined; a box that a border cut off gives way to a fuller one; a
    thing that was found twice in an overlap is the better one of the two. The best score stays.
    """
    moved = [_moved(found, crop) for crop, found in parts]
    if len(parts) == 1:
        return moved[0]
    if not parts:
        return Detections.empty()
    boxes = np.concatenate([each.xyxy for each in moved])
    heap = _Heap(
        boxes,
        np.concatenate([each.scores for each in moved]),
        np.concatenate([each.labels for each in moved]),
        np.repeat(np.arange(len(parts)), [len(each) for each in moved]),
        np.concatenate(
            [
                _cuts(each.xyxy, crop, _bounds(parts))
                for each, (crop, _) in zip(moved, parts, strict=True)
            ]
        ),
    )
    return heap.joined().best()


@dataclass(frozen=True, slots=True, eq=False)
class _Heap:
    """What was found in all pieces, in pixels of the whole frame."""

    xyxy: Boxes
    scores: NDArray[np.float32]
    labels: NDArray[np.int32]
    pieces: NDArray[np.intp]
    cuts: NDArray[np.bool_]
    """(n, 4); whether the left, top, right and bottom side lies on a border between pieces."""

    def joined(self) -> "_Heap":
        """Return the same with one box for the halves of what a border cuts in two."""
        if not len(self.scores):
            return self
        halves = csr_array(self._are_halves().astype(np.int8))
        n, of = connected_components(halves, directed=False)
        if n == len(self.scores):
            return self
        low = np.full((n, 2), np.inf, np.float32)
        high = np.full((n, 2), -np.inf, np.float32)
        scores, labels = np.zeros(n, np.float32), np.zeros(n, np.int32)
        np.minimum.at(low, of, self.xyxy[:, :2])
        np.maximum.at(high, of, self.xyxy[:, 2:])
        np.maximum.at(scores, of, self.scores)
        labels[of] = self.labels
        boxes = np.hstack([low, high])
        # A side of the whole is cut off where all that reach so far are.
        reaches = np.abs(boxes[of] - self.xyxy) <= _EDGE_PX
        cuts = np.ones((n, 4), np.bool_)
        np.logical_and.at(cuts, of, self.cuts | ~reaches)
        is_single = np.bincount(of, minlength=n)[of] == 1
        pieces = np.full(n, _SEVERAL, np.intp)
        pieces[of[is_single]] = self.pieces[is_single]
        return _Heap(boxes, scores, labels, pieces, cuts)

    def best(self) -> Detections:
        """Return one box for each thing, best first."""
        is_cut = np.asarray(self.cuts.any(axis=1), np.bool_)
        order = np.lexsort((-self.scores, is_cut))  # whole boxes first, then by score
        same = self._are_same(is_cut)
        scores = self.scores.copy()
        kept: list[int] = []
        for index in order:
            rivals = [other for other in kept if same[index, other]]
            if rivals:
                best = max(rivals, key=lambda other: float(self.scores[other]))
                scores[best] = max(scores[best], scores[index])
            else:
                kept.append(int(index))
        chosen = np.array(kept, np.intp)
        chosen = chosen[np.argsort(-scores[chosen], kind="stable")]
        return Detections(self.xyxy[chosen], scores[chosen], self.labels[chosen])

    def _are_same(self, is_cut: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return (n, n): whether the first is the second over again, or a part of it."""
        shared = _shared(self.xyxy)
        own = np.maximum(areas(self.xyxy)[:, None], np.float32(1e-6))
        is_part = is_cut[:, None] & (shared / own > _INSIDE)
        is_same = iou_matrix(self.xyxy, self.xyxy) > _SAME_IOU
        return self._may_be_one() & (is_part | is_same)

    def _are_halves(self) -> NDArray[np.bool_]:
        """Return (n, n): whether a border cuts off both where the other goes on."""
        left, top, right, bottom = self.cuts.T
        facing = (right[:, None] & left[None, :]) & (_share_spanned(self.xyxy, 1) > _ALONGSIDE)
        facing |= (bottom[:, None] & top[None, :]) & (_share_spanned(self.xyxy, 0) > _ALONGSIDE)
        touching = _shared(self.xyxy) > 0.0
        return np.asarray(facing & touching & self._may_be_one(), np.bool_)

    def _may_be_one(self) -> NDArray[np.bool_]:
        # What one piece tells apart is two things: the network has seen both at once.
        is_elsewhere = (self.pieces[:, None] != self.pieces) | (self.pieces == _SEVERAL)
        return np.asarray(is_elsewhere & (self.labels[:, None] == self.labels), np.bool_)


def _shared(boxes: Boxes) -> NDArray[np.float32]:
    """Return (n, n): the area that each two boxes share."""
    starts = np.maximum(boxes[:, None, :2], boxes[:, :2])
    sides = np.maximum(np.minimum(boxes[:, None, 2:], boxes[:, 2:]) - starts, np.float32(0.0))
    return np.asarray(sides[..., 0] * sides[..., 1], np.float32)


def _share_spanned(boxes: Boxes, axis: int) -> NDArray[np.float32]:
    """Return (n, n): how much of what either box spans on this axis (0: x, 1: y) both do."""
    starts, ends = boxes[:, axis], boxes[:, axis + 2]
    both = np.minimum(ends[:, None], ends) - np.maximum(starts[:, None], starts)
    either = np.maximum(ends[:, None], ends) - np.minimum(starts[:, None], starts)
    return np.asarray(both / np.maximum(either, np.float32(1e-6)), np.float32)


def _moved(found: Detections, crop: Crop) -> Detections:
    if not (crop.left or crop.top):
        return found
    offset = np.array([crop.left, crop.top, crop.left, crop.top], np.float32)
    return Detections(found.xyxy + offset, found.scores, found.labels, found.tracks)


def _bounds(parts: Sequence[tuple[Crop, Detections]]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of all pieces together."""
    pieces = [crop for crop, _ in parts]
    return (
        min(crop.left for crop in pieces),
        min(crop.top for crop in pieces),
        max(crop.right for crop in pieces),
        max(crop.bottom for crop in pieces),
    )


def _cuts(boxes: Boxes, crop: Crop, bounds: tuple[int, int, int, int]) -> NDArray[np.bool_]:
    """Return (n, 4): which sides of the boxes lie on a border that is not one of the whole."""
    sides = np.array([crop.left, crop.top, crop.right, crop.bottom], np.float32)
    near = np.maximum(
        np.array([crop.width, crop.height] * 2, np.float32) * np.float32(_EDGE_SHARE),
        np.float32(_EDGE_PX),
    )
    is_inner = sides != np.array(bounds, np.float32)
    return np.asarray(is_inner & (np.abs(boxes - sides) <= near), np.bool_)


def _spans(size: int, start: float, end: float, n: int, overlap: float) -> list[tuple[int, int]]:
    """Return the pieces of one axis as (first, past the last), even, in pixels."""
    first, last = _even_below(start * size), min(_even_above(end * size), size)
    if end <= start or last <= first:
        first, last = 0, size
    # n pieces of this length, each but the first begun `overlap` of it before the end of another.
    length = (last - first) / (n - (n - 1) * overlap)
    step = length * (1.0 - overlap)
    spans = [
        (first + _even_below(i * step), min(first + _even_above(i * step + length), last))
        for i in range(n)
    ]
    spans[-1] = (spans[-1][0], last)
    return [span for i, span in enumerate(spans) if span[0] < span[1] and span not in spans[:i]]


def _even_below(value: float) -> int:
    return 2 * int(value / 2 + _ROUNDING)


def _even_above(value: float) -> int:
    return 2 * ceil(value / 2 - _ROUNDING)


_ROUNDING: Final = 1e-6
"""Shares come as binary fractions: 0.7 of 10 is not to be 7 and a hair."""
