"""Datumaro's own JSON: labels by number, boxes and outlines in pixels, classes of pictures."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from processing.exchange.labelled import (
    BadSet,
    LabelledBox,
    LabelledPicture,
    ReadPicture,
    ReadSet,
    Side,
    in_pixels,
    name_within,
    normalised,
    told,
)
from processing.exchange.outlines import outline_in_pixels, outlined, with_outline

PICTURES: Final = "images/default"
_READ: Final = frozenset({"bbox", "polygon", "label"})


class _Name(Struct, frozen=True):
    name: str
    parent: str = ""
    attributes: list[str] = []


class _Names(Struct, frozen=True):
    labels: Annotated[list[_Name], Meta(max_length=10_000)]
    attributes: list[str] = []


class _Categories(Struct, frozen=True):
    label: _Names


class _Annotation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: int
    type: str
    label_id: int | None = None
    group: int = 0
    """What belongs together has one number: a box and its outline. 0: nothing does."""
    bbox: tuple[float, float, float, float] | None = None
    points: list[float] | None = None


class _Image(Struct, frozen=True):
    path: str
    size: tuple[Side, Side] | None = None
    """Height, then width."""


class _Item(Struct, frozen=True, kw_only=True):
    id: str
    annotations: list[_Annotation] = []
    attr: dict[str, object] = {}
    image: _Image | None = None


class _File(Struct, frozen=True, kw_only=True):
    categories: _Categories
    items: list[_Item]
    info: dict[str, object] = {}
    dm_format_version: str = "1.0"
    media_type: Literal[2] = 2
    """Pictures."""


def write_datumaro(
    pictures: Iterable[LabelledPicture], *, labels: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield the file of a set, without its pictures; raise `KeyError` for an unknown label."""
    number_of = {name: number for number, name in enumerate(labels)}
    items = [_item(picture, number_of) for picture in pictures]
    categories = _Categories(_Names([_Name(name) for name in labels]))
    yield "annotations/default.json", msgspec.json.encode(_File(categories=categories, items=items))


def read_datumaro(content: bytes, file: str) -> ReadSet:
    """Return the set; raise `BadSet` naming `file` and the field at fault."""
    try:
        dataset = msgspec.json.decode(content, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadSet(f"{file} is not a Datumaro set: {error}") from error
    labels = [each.name for each in dataset.categories.label.labels]
    lost: Counter[str] = Counter()
    pictures = []
    for index, item in enumerate(dataset.items):
        try:
            pictures.append(_picture(item, labels, lost))
        except ValueError as error:
            raise BadSet(f"{file}: `items[{index}]` ({item.id[:80]}) has {error}") from error
    return ReadSet("Datumaro", labels, pictures, told(lost))


def _item(picture: LabelledPicture, number_of: dict[str, int]) -> _Item:
    name = name_within(PICTURES, picture.file_name)
    return _Item(
        id=str(name.with_suffix("")),
        annotations=list(_annotations(picture, number_of)),
        attr={"captured_at": picture.captured_at.isoformat()},
        image=_Image(str(name), (picture.height, picture.width)),
    )


def _annotations(picture: LabelledPicture, number_of: dict[str, int]) -> Iterator[_Annotation]:
    size = (picture.width, picture.height)
    number = 0
    for group, box in enumerate(picture.boxes, 1):
        label = number_of[box.label]
        bbox = in_pixels(box.xyxy, *size)
        own = group if box.polygon else 0
        yield _Annotation(id=number, type="bbox", label_id=label, group=own, bbox=bbox)
        number += 1
        if box.polygon:
            points = outline_in_pixels(box.polygon, *size)
            yield _Annotation(id=number, type="polygon", label_id=label, group=own, points=points)
            number += 1
    for name in picture.classes:
        yield _Annotation(id=number, type="label", label_id=number_of[name])
        number += 1


def _picture(item: _Item, labels: Sequence[str], lost: Counter[str]) -> ReadPicture:
    if item.image is None or item.image.size is None:
        raise ValueError("no picture with a size")
    height, width = item.image.size
    things: dict[tuple[int, str], list[_Annotation]] = {}
    classes = []
    for number, each in enumerate(item.annotations):
        if each.type == "label":
            classes.append(_label(each, labels))
        elif each.type in _READ:
            # Alone it gets a number that no group has.
            things.setdefault((each.group or -1 - number, _label(each, labels)), []).append(each)
        else:
            lost[f"Annotations of the kind “{each.type[:40]}” were left out"] += 1
    return ReadPicture(
        file_name=item.image.path or f"{item.id}.jpg",
        width=width,
        height=height,
        boxes=tuple(
            box
            for (_, label), parts in things.items()
            for box in _boxes(parts, label, (width, height), lost)
        ),
        classes=tuple(classes),
    )


def _boxes(
    parts: Sequence[_Annotation], label: str, size: tuple[int, int], lost: Counter[str]
) -> Iterator[LabelledBox]:
    """Yield what is told of one class in one group: a thing and its outline, or several things."""
    width, height = size
    boxes = [
        LabelledBox(_edges(each.bbox, width, height), label)
        for each in parts
        if each.type == "bbox" and each.bbox is not None
    ]
    outlines = [each.points or [] for each in parts if each.type == "polygon"]
    if len(boxes) == len(outlines) == 1:
        yield with_outline(boxes[0], outlines[0], width=width, height=height, lost=lost)
        return
    yield from boxes
    if not boxes:
        for points in outlines:
            yield outlined(points, label, width=width, height=height, lost=lost)
    elif outlines:
        lost["Outlines in several parts came in as their boxes"] += 1


def _label(annotation: _Annotation, labels: Sequence[str]) -> str:
    number = annotation.label_id
    if number is None or not 0 <= number < len(labels):
        raise ValueError("an annotation whose label is not in the set")
    return labels[number]


def _edges(
    bbox: tuple[float, float, float, float], width: int, height: int
) -> tuple[float, float, float, float]:
    x, y, wide, high = bbox
    return normalised((x, y, x + wide, y + high), width, height)
