"""Outlines: corner after corner, in pixels outside, normalised inside."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from processing.exchange.labelled import XYXY, LabelledBox, Polygon, share

MIN_NUMBERS: Final = 6
"""Of an outline: three corners."""
MAX_CORNERS: Final = 200
"""What people can still edit; outlines of more are made simpler."""
_MAX_NUMBERS: Final = 20_000
_FINEST: Final = 0.0002
"""Of a picture's side: what the first attempt to make an outline simpler may move it by."""
_SAME: Final = 0.005
"""Of a picture's side: how far a box may lie from the bounds of its outline."""


def outlined(
    numbers: Sequence[float], label: str, *, width: int, height: int, lost: Counter[str]
) -> LabelledBox:
    """Return what x, y, x, y, ... in pixels surround; raise `ValueError`.

    What cannot be kept of it is counted in `lost`, in words.
    """
    if len(numbers) % 2 or not MIN_NUMBERS <= len(numbers) <= _MAX_NUMBERS:
        raise ValueError(f"an outline of {len(numbers)} numbers; 3 to {_MAX_NUMBERS // 2} pairs")
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    polygon: Polygon = tuple((share(x, width), share(y, height)) for x, y in pairs)
    if len(polygon) > MAX_CORNERS:
        polygon = _simpler(polygon)
        lost[f"Outlines of more than {MAX_CORNERS} corners were made simpler"] += 1
    bounds = _bounds(polygon)
    if 2 * len(polygon) < MIN_NUMBERS:
        polygon = ()
        lost["Outlines that surround nothing came in as their boxes"] += 1
    return LabelledBox(bounds, label, polygon)


def with_outline(
    box: LabelledBox, numbers: Sequence[float], *, width: int, height: int, lost: Counter[str]
) -> LabelledBox:
    """Return the box with its outline, which it bounds from now on; raise `ValueError`."""
    found = outlined(numbers, box.label, width=width, height=height, lost=lost)
    if max(abs(a - b) for a, b in zip(found.xyxy, box.xyxy, strict=True)) > _SAME:
        lost["Boxes were drawn anew around their outlines"] += 1
    return found


def outline_in_pixels(polygon: Polygon, width: int, height: int) -> list[float]:
    """Return a normalised outline as x, y, x, y, ... in pixels."""
    return [round(value, 6) for x, y in polygon for value in (x * width, y * height)]


def area_of(numbers: Sequence[float]) -> float:
    """Return how much x, y, x, y, ... surround."""
    xs, ys = np.array(numbers[::2]), np.array(numbers[1::2])
    return float(abs(xs @ np.roll(ys, 1) - ys @ np.roll(xs, 1)) / 2)


def corners(xyxy: XYXY) -> Polygon:
    """Return a box as an outline."""
    x0, y0, x1, y1 = xyxy
    return (x0, y0), (x1, y0), (x1, y1), (x0, y1)


def _simpler(polygon: Polygon) -> Polygon:
    points, tolerance = np.array(polygon, np.float32).reshape(-1, 1, 2), _FINEST
    while len(points) > MAX_CORNERS:
        points = cv2.approxPolyDP(points, tolerance, closed=True).astype(np.float32)
        tolerance *= 2
    return tuple((round(float(x), 6), round(float(y), 6)) for x, y in points.reshape(-1, 2))


def _bounds(polygon: Polygon) -> XYXY:
    xs, ys = zip(*polygon, strict=True)
    return min(xs), min(ys), max(xs), max(ys)
