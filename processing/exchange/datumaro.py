"""Datumaro's own JSON: labels by number, boxes and outlines in pixels, classes of pictures."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from processing.exchange.labelled import (
    BadSet,
    LabelledBox,
    LabelledPicture,
    Polygon,
    ReadPicture,
    ReadSet,
    in_pixels,
    normalised,
    outline_in_pixels,
    outline_of,
)

_CORNERS = 3


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
    size: tuple[int, int] | None = None
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
    items = [
        _Item(
            id=PurePosixPath(picture.file_name).stem,
            annotations=list(_annotations(picture, number_of)),
            attr={"captured_at": picture.captured_at.isoformat()},
            image=_Image(PurePosixPath(picture.file_name).name, (picture.height, picture.width)),
        )
        for picture in pictures
    ]
    categories = _Categories(_Names([_Name(name) for name in labels]))
    yield "annotations/default.json", msgspec.json.encode(_File(categories=categories, items=items))


def read_datumaro(content: bytes, file: str) -> ReadSet:
    """Return the set; raise `BadSet` naming `file`."""
    try:
        told = msgspec.json.decode(content, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadSet(f"{file} is not a Datumaro set: {error}") from error
    labels = [each.name for each in told.categories.label.labels]
    return ReadSet("Datumaro", labels, [_picture(item, labels, file) for item in told.items])


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


def _picture(item: _Item, labels: Sequence[str], file: str) -> ReadPicture:
    if item.image is None or item.image.size is None or min(item.image.size) < 1:
        raise BadSet(f"{file}: item “{item.id[:80]}” has no picture with a size")
    height, width = item.image.size
    outlines: dict[int, Polygon] = {}
    alone: list[tuple[str, Polygon]] = []
    classes = []
    for each in item.annotations:
        label = _label(each, labels, file)
        if each.type == "label":
            classes.append(label)
        if each.type == "polygon" and each.points and len(each.points) >= 2 * _CORNERS:
            if len(each.points) % 2:
                raise BadSet(f"{file}: item “{item.id[:80]}” has an outline with half a point")
            outline = outline_of(each.points, width, height)
            if each.group:
                outlines[each.group] = outline
            else:
                alone.append((label, outline))
    boxes = [
        LabelledBox(
            _edges(each.bbox, width, height),
            _label(each, labels, file),
            outlines.get(each.group, ()),
        )
        for each in item.annotations
        if each.type == "bbox" and each.bbox is not None
    ]
    boxes += [LabelledBox(_bounds(outline), label, outline) for label, outline in alone]
    return ReadPicture(
        file_name=item.image.path or f"{item.id}.jpg",
        width=width,
        height=height,
        boxes=tuple(boxes),
        classes=tuple(classes),
    )


def _label(annotation: _Annotation, labels: Sequence[str], file: str) -> str:
    number = annotation.label_id
    if number is None or not 0 <= number < len(labels):
        raise BadSet(f"{file} has an annotation whose label is not in it")
    return labels[number]


def _edges(
    bbox: tuple[float, float, float, float], width: int, height: int
) -> tuple[float, float, float, float]:
    x, y, wide, high = bbox
    return normalised((x, y, x + wide, y + high), width, height)


def _bounds(outline: Polygon) -> tuple[float, float, float, float]:
    xs, ys = zip(*outline, strict=True)
    return min(xs), min(ys), max(xs), max(ys)
