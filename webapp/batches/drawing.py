"""A batch's pictures with their boxes, as the page draws them: in the picture's own pixels."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from webapp.batches.models import Batch
from webapp.batches.queries import JudgedPicture

_COLOURS: Final = 8
_SHOWN: Final = 60
"""Boxes of one small picture."""


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """One detection."""

    left: float
    top: float
    width: float
    height: float
    colour: int
    """Of the series, from 1."""
    words: str


@dataclass(frozen=True, slots=True)
class DrawnPicture:
    """One picture."""

    number: int
    name: str
    width: int
    height: int
    is_judged: bool
    error: str
    boxes: list[DrawnBox]
    words: str
    """What is in it."""


def drawn_pictures(batch: Batch, pictures: Iterable[JudgedPicture]) -> Iterator[DrawnPicture]:
    """Yield pictures as the page draws them."""
    for picture in pictures:
        outcome = picture.outcome
        width, height = (outcome.width, outcome.height) if outcome is not None else (0, 0)
        found = list(picture.detections())
        counts: dict[str, int] = {}
        for each in found:
            name = batch.labels[each.label]
            counts[name] = counts.get(name, 0) + 1
        yield DrawnPicture(
            number=picture.number,
            name=picture.item.name,
            width=width,
            height=height,
            is_judged=outcome is not None,
            error=outcome.error if outcome is not None else "",
            boxes=[
                DrawnBox(
                    left=round(each.x0 * width, 1),
                    top=round(each.y0 * height, 1),
                    width=round((each.x1 - each.x0) * width, 1),
                    height=round((each.y1 - each.y0) * height, 1),
                    colour=each.label % _COLOURS + 1,
                    words=f"{batch.labels[each.label]} {each.score:.0%}",
                )
                for each in found[:_SHOWN]
            ],
            words=", ".join(f"{n} {name}" for name, n in counts.items()) or "nothing",
        )
