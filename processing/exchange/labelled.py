"""Pictures and what people say is in them, as all formats have it: normalised, classes by name."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from pathlib import PurePosixPath
from typing import Annotated, Final, NamedTuple
from uuid import UUID

from msgspec import Meta, Struct

from processing.wire.limits import MAX_DETECTIONS

XYXY = tuple[float, float, float, float]
Polygon = tuple[tuple[float, float], ...]

MAX_SIDE: Final = 65_535
"""Of a picture, in pixels: a JPEG's most."""
Side = Annotated[int, Meta(ge=1, le=MAX_SIDE)]

_FARTHEST: Final = 1_000_000
"""Pixels from the picture's corner; whoever puts an edge farther away does not mean it."""
_DIGITS: Final = 6
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
    """With its folder, as in the set."""
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
    notes: Sequence[str] = ()
    """What could not be kept, in words."""


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
    """Return left, top, right and bottom in pixels as a normalised box, clipped to the picture.

    Raise `ValueError` for what is no box at all.
    """
    x0, y0, x1, y1 = edges
    if x1 < x0 or y1 < y0:
        raise ValueError("a box whose right or bottom edge comes before its left or top one")
    return (share(x0, width), share(y0, height), share(x1, width), share(y1, height))


def share(position: float, of: int) -> float:
    """Return a position in pixels as a share of a side; raise `ValueError` for an absurd one."""
    if not abs(position) <= _FARTHEST:  # nor is NaN
        raise ValueError(f"a place at {position:g}")
    return round(min(max(position / of, 0.0), 1.0), _DIGITS)


def not_too_many(boxes: Iterable[LabelledBox]) -> tuple[LabelledBox, ...]:
    """Return a picture's boxes, of too many only so many that the set will be refused."""
    return tuple(islice(boxes, MAX_DETECTIONS + 1))


def name_within(folder: str, file_name: str) -> PurePosixPath:
    """Return a picture's name as its format has it, which keeps pictures in `folder`."""
    path = PurePosixPath(file_name)
    return path.relative_to(folder) if path.is_relative_to(folder) else path


def told(lost: Counter[str]) -> list[str]:
    """Return what could not be kept, in words."""
    return [f"{what}: {n}." for what, n in lost.items()]
