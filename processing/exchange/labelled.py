"""Pictures and what people say is in them, as all formats have it: normalised, classes by name."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

XYXY = tuple[float, float, float, float]
Polygon = tuple[tuple[float, float], ...]

_DIGITS = 6
"""Decimals of a normalised edge: a hundredth of a pixel of an 8K picture."""


class LabelledBox(Struct, frozen=True):
    """One object: box normalised 0..1, class by name."""

    xyxy: XYXY
    label: str
    polygon: Polygon = ()
    """Its outline, normalised, where somebody drew one."""


class LabelledPicture(Struct, frozen=True, kw_only=True):
    """A picture and all that is in it; no boxes means that nothing is."""

    id: UUID
    file_name: str
    """With its folder, as in the set; its stem is its name where a format has no folders."""
    width: int
    height: int
    captured_at: datetime
    boxes: tuple[LabelledBox, ...]
    classes: tuple[str, ...] = ()
    """Of the picture as a whole."""


class ReadPicture(Struct, frozen=True, kw_only=True):
    """A picture of somebody else's set."""

    file_name: str
    """In the archive."""
    width: int | None = None
    height: int | None = None
    """As the set says; None where it does not."""
    boxes: tuple[LabelledBox, ...] | None = None
    """None: nobody has labelled it."""
    classes: tuple[str, ...] = ()


class ReadSet(NamedTuple):
    """Somebody else's set."""

    format: str
    """What people call it."""
    labels: Sequence[str]
    """In the set's own order."""
    pictures: Sequence[ReadPicture]


class BadSet(ValueError):
    """This is no set that we read; the text says what is wrong, and in which file."""


def in_pixels(xyxy: XYXY, width: int, height: int) -> XYXY:
    """Return a normalised box in pixels, as x, y, width, height."""
    x0, y0, x1, y1 = xyxy
    return (
        round(x0 * width, _DIGITS),
        round(y0 * height, _DIGITS),
        round((x1 - x0) * width, _DIGITS),
        round((y1 - y0) * height, _DIGITS),
    )


def normalised(edges: XYXY, width: int, height: int) -> XYXY:
    """Return left, top, right and bottom in pixels as a normalised box, clipped to the picture."""
    x0, y0, x1, y1 = edges
    return (_share(x0, width), _share(y0, height), _share(x1, width), _share(y1, height))


def outline_of(numbers: Sequence[float], width: int, height: int) -> Polygon:
    """Return x, y, x, y, ... in pixels as a normalised outline."""
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return tuple((_share(x, width), _share(y, height)) for x, y in pairs)


def outline_in_pixels(polygon: Polygon, width: int, height: int) -> list[float]:
    """Return a normalised outline as x, y, x, y, ... in pixels."""
    return [round(value, _DIGITS) for x, y in polygon for value in (x * width, y * height)]


def _share(position: float, of: int) -> float:
    return round(min(max(position / of, 0.0), 1.0), _DIGITS)
