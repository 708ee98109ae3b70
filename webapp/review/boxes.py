"""Boxes as labelers leave them: what is allowed, and whether anything differs from the prediction.

Pure functions over normalised boxes (0..1 of the picture's width and height), no database.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Final

from msgspec import Meta, Struct
from msgspec.structs import replace

from processing.wire.limits import MAX_DETECTIONS, MAX_NAME
from processing.wire.packed import UNIT, unpack

MIN_SIDE_PX: Final = 1.0
_DIGITS: Final = 6
"""Decimals that are kept: a hundredth of a pixel of an 8K picture."""
_SLACK_PX: Final = 0.02
"""What rounding to `_DIGITS` may take off a side."""

_BOUNDS_SLACK: Final = 1e-4
"""How far an outline's bounds may lie from its box: below a pixel, above what rounding does."""

Xyxy = tuple[float, float, float, float]
Polygon = tuple[tuple[float, float], ...]
ClassName = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]


class Box(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing in a picture."""

    xyxy: Xyxy
    label: ClassName
    polygon: Annotated[Polygon, Meta(min_length=3, max_length=200)] | None = None
    """Its outline, where somebody drew one; its bounds are `xyxy`."""
    prediction: Annotated[int, Meta(ge=0)] | None = None
    """Which prediction it stands for, as far as its labeler said; not kept."""


class PredictedBox(Struct, frozen=True):
    """One thing that a bundle saw in a picture."""

    xyxy: Xyxy
    label: str
    score: float


class BadBox(ValueError):
    """A box that cannot be; `field` names it as `boxes.3.xyxy`, the text says why."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


def check_boxes(
    boxes: Sequence[Box], *, labels: Sequence[str], width: int, height: int
) -> list[Box]:
    """Return the boxes rounded to what is told; raise `BadBox` for the first that cannot be.

    `width` and `height` are the picture's, in pixels.
    """
    if len(boxes) > MAX_DETECTIONS:
        raise BadBox("boxes", f"{len(boxes)} boxes; at most {MAX_DETECTIONS} are allowed.")
    known = frozenset(labels)
    for index, box in enumerate(boxes):
        if box.label not in known:
            raise BadBox(f"boxes.{index}.label", f"No class is called “{box.label}”.")
        why = _why_impossible(box.xyxy, width, height)
        if why:
            raise BadBox(f"boxes.{index}.xyxy", why)
        if box.polygon is not None and not _has_bounds(box.polygon, box.xyxy):
            raise BadBox(f"boxes.{index}.polygon", "The outline's bounds are not the box.")
    return [_as_told(box) for box in boxes]


def check_classes(classes: Sequence[str], *, labels: Sequence[str]) -> list[str]:
    """Return the picture's own classes, each once; raise `BadBox` for the first unknown one."""
    for index, name in enumerate(classes):
        if name not in labels:
            raise BadBox(f"classes.{index}", f"No class is called “{name}”.")
    return list(dict.fromkeys(classes))


def as_kept(box: Box) -> dict[str, Any]:
    """Return the box as annotations keep it."""
    kept = {"xyxy": list(box.xyxy), "label": box.label}
    return kept if box.polygon is None else {**kept, "polygon": [*map(list, box.polygon)]}


def predicted_boxes(
    packed: bytes, *, labels: Sequence[str], width: int, height: int
) -> Iterator[PredictedBox]:
    """Yield what the bundle saw, without boxes thinner than a pixel, which nobody could edit."""
    for found in unpack(packed):
        xyxy = _rounded(found[:4])
        if found.label < len(labels) and not _why_impossible(xyxy, width, height):
            yield PredictedBox(xyxy=xyxy, label=labels[found.label], score=round(found.score, 4))


def is_as_predicted(boxes: Iterable[Box], predicted: Iterable[PredictedBox]) -> bool:
    """Return whether both name the same things in the same places, in any order.

    Places are the same when they are one value on the wire, which is finer than any pixel.
    """
    places = [*boxes]
    return all(box.polygon is None for box in places) and (
        Counter(map(_on_the_wire, places)) == Counter(map(_on_the_wire, predicted))
    )


def _why_impossible(xyxy: Xyxy, width: int, height: int) -> str:
    x0, y0, x1, y1 = xyxy
    if not all(0.0 <= value <= 1.0 for value in xyxy):
        return "The box reaches beyond the picture; every edge lies within 0 and 1."
    if x0 > x1 or y0 > y1:
        return "The left or top edge lies beyond the right or bottom one."
    thinnest = min((x1 - x0) * width, (y1 - y0) * height)
    if thinnest < MIN_SIDE_PX - _SLACK_PX:
        return f"The box is thinner than {MIN_SIDE_PX:g} pixel."
    return ""


def _has_bounds(polygon: Polygon, xyxy: Xyxy) -> bool:
    xs, ys = zip(*polygon, strict=True)
    bounds = (min(xs), min(ys), max(xs), max(ys))
    return all(abs(a - b) <= _BOUNDS_SLACK for a, b in zip(bounds, xyxy, strict=True))


def _as_told(box: Box) -> Box:
    points = box.polygon and tuple((round(x, _DIGITS), round(y, _DIGITS)) for x, y in box.polygon)
    return replace(box, xyxy=_rounded(box.xyxy), polygon=points)


def _rounded(xyxy: Xyxy) -> Xyxy:
    x0, y0, x1, y1 = xyxy
    return (round(x0, _DIGITS), round(y0, _DIGITS), round(x1, _DIGITS), round(y1, _DIGITS))


def _on_the_wire(box: Box | PredictedBox) -> tuple[str, tuple[int, ...]]:
    return box.label, tuple(round(value * UNIT) for value in box.xyxy)
