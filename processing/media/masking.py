"""What nobody may see is made unrecoverable in the planes themselves.

Privacy zones become one flat grey: whatever was there leaves no trace, however long one watches.
Heads become a few large blocks, each of its own mean colour: one sees that somebody is there, and
about what they wear, but four by four blocks of a face are no face.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.vision.detections import Boxes
from processing.vision.frame import Frame, Plane
from processing.vision.geometry import clip
from processing.wire.fields import Polygon

_GREY: Final = 126
"""Middle grey in limited range; chroma's is 128."""
_NO_COLOUR: Final = 128
LEAST_BLOCK: Final = 16
"""Pixels of luma."""
_BLOCKS_ACROSS: Final = 4

_STANDING_SHARE: Final = 0.3
"""Of a standing person's height, from the top: head, neck and what leaning forward needs."""
_HEAD_OF_WIDTH: Final = 0.75
"""A head's height is at most this share of its person's width, shoulders or more: who sits or
bends, who lies, and who is cut off by the picture's edge has a larger share of head."""
_MARGIN: Final = 0.1
"""Of the head, on each side: boxes are never exact."""


class _Covered(NamedTuple):
    """Which pixels polygons cover."""

    luma: NDArray[np.bool_]
    chroma: NDArray[np.bool_]


def mask(frame: Frame, polygons: tuple[Polygon, ...], boxes: Boxes) -> Frame:
    """Return a copy of the frame with polygons (0..1) flat and boxes (n, 4, pixels) in blocks.

    A pixel of which only a part is covered is hidden too. The frame itself is not written to.
    """
    y, u, v = frame.y.copy(), frame.u.copy(), frame.v.copy()
    if polygons:
        covered = _covered(polygons, frame.width, frame.height)
        np.copyto(y, _GREY, where=covered.luma)
        np.copyto(u, _NO_COLOUR, where=covered.chroma)
        np.copyto(v, _NO_COLOUR, where=covered.chroma)
    # After the zones: the mean of a block that reaches into one tells nothing of what was there.
    for box in clip(boxes, width=frame.width, height=frame.height):
        _pixelate(y, u, v, box)
    return Frame(y, u, v, captured_at=frame.captured_at)


def hide_all(frame: Frame) -> Frame:
    """Return a frame of the same size that shows nothing at all."""
    return Frame(
        np.full(frame.y.shape, _GREY, np.uint8),
        np.full(frame.u.shape, _NO_COLOUR, np.uint8),
        np.full(frame.v.shape, _NO_COLOUR, np.uint8),
        captured_at=frame.captured_at,
    )


def heads(people: Boxes) -> Boxes:
    """Return where the heads of people (n, 4) are, generously: standing, sitting, bent, lying.

    The boxes (n, 4) may reach beyond the picture.
    """
    sides = people[:, 2:] - people[:, :2]
    width, height = sides[:, 0], sides[:, 1]
    tall = np.minimum(height, np.maximum(_STANDING_SHARE * height, _HEAD_OF_WIDTH * width))
    found = people.copy()
    found[:, 3] = people[:, 1] + tall
    aside, above = _MARGIN * width, _MARGIN * tall
    return found + np.stack([-aside, -above, aside, above], axis=1, dtype=np.float32)


def widened(boxes: Boxes, *, share: float) -> Boxes:
    """Return boxes (n, 4) that are larger by this share of their sides, on every side."""
    by = (boxes[:, 2:] - boxes[:, :2]) * np.float32(share)
    return boxes + np.concatenate([-by, by], axis=1, dtype=np.float32)


def _pixelate(y: Plane, u: Plane, v: Plane, box: NDArray[np.float32]) -> None:
    if (box[:2] >= box[2:]).any():
        return  # outside the picture
    x0, y0 = (int(edge) // 2 for edge in np.floor(box[:2]))
    x1, y1 = (-(-int(edge) // 2) for edge in np.ceil(box[2:]))
    longest = 2 * max(x1 - x0, y1 - y0)
    block = max(LEAST_BLOCK, -(-longest // _BLOCKS_ACROSS))
    block += block % 2
    _to_blocks(y[2 * y0 : 2 * y1, 2 * x0 : 2 * x1], block)
    for plane in (u, v):
        _to_blocks(plane[y0:y1, x0:x1], block // 2)


def _to_blocks(region: Plane, block: int) -> None:
    """Write to every block of the region its mean; those at the right and below may be smaller."""
    height, width = region.shape
    for top in range(0, height, block):
        for left in range(0, width, block):
            part = region[top : top + block, left : left + block]
            part[:] = round(cv2.mean(part)[0])


@lru_cache(maxsize=64)
def _covered(polygons: tuple[Polygon, ...], width: int, height: int) -> _Covered:
    luma: Plane = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        _draw(luma, polygon)
    even: Plane = np.pad(luma, ((0, height % 2), (0, width % 2)), "edge")
    chroma = even[0::2, 0::2] | even[1::2, 0::2] | even[0::2, 1::2] | even[1::2, 1::2]
    # Luma where its colour is hidden is hidden as well: an edge tells nothing.
    luma = chroma.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    return _Covered(luma.astype(np.bool_), chroma.astype(np.bool_))


def _draw(luma: Plane, polygon: Polygon) -> None:
    """Set what the polygon covers, with all that lines crossing themselves enclose."""
    height, width = luma.shape
    corners = np.array(polygon, np.float64) * (width, height)
    drawn = np.zeros((height + 2, width + 2), np.uint8)  # room to go around
    points = [np.floor(corners).astype(np.int32) + 1]
    cv2.fillPoly(drawn, points, 1)
    cv2.polylines(drawn, points, isClosed=True, color=1, thickness=3)
    outlines, _ = cv2.findContours(drawn, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(drawn, outlines, -1, 1, cv2.FILLED)
    np.bitwise_or(luma, drawn[1:-1, 1:-1], out=luma)
