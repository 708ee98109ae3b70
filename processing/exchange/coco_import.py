"""Reading COCO's `instances` JSON as a set: boxes, outlines, and the pictures' own classes."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from processing.exchange.coco import CocoAnnotation, CocoCategory, CocoImage
from processing.exchange.labelled import (
    BadSet,
    LabelledBox,
    ReadPicture,
    ReadSet,
    normalised,
    outline_of,
)

_CORNERS = 3


class _Image(CocoImage, frozen=True):
    classes: tuple[str, ...] = ()


class _Annotation(CocoAnnotation, frozen=True):
    segmentation: list[list[float]] | dict[str, object] | None = None
    """Outlines, or a mask: of a mask its box is what counts."""


class _Dataset(Struct, frozen=True):
    images: list[_Image]
    categories: Annotated[list[CocoCategory], Meta(max_length=10_000)]
    annotations: list[_Annotation]


def read_coco_set(content: bytes, file: str) -> ReadSet:
    """Return the set; raise `BadSet` naming `file`."""
    try:
        dataset = msgspec.json.decode(content, type=_Dataset)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadSet(f"{file} is not COCO annotations: {error}") from error
    categories = sorted(dataset.categories, key=lambda each: each.id)
    label_of = {category.id: category.name for category in categories}
    found: dict[int, list[LabelledBox]] = {image.id: [] for image in dataset.images}
    images = {image.id: image for image in dataset.images}
    for annotation in dataset.annotations:
        image, label = images.get(annotation.image_id), label_of.get(annotation.category_id)
        if image is None or label is None:
            raise BadSet(f"{file} has a box of a picture or category that is not in it")
        found[image.id].append(_box(annotation, image, label))
    pictures = [
        ReadPicture(
            file_name=image.file_name,
            width=image.width,
            height=image.height,
            boxes=tuple(found[image.id]),
            classes=image.classes,
        )
        for image in dataset.images
    ]
    return ReadSet("COCO", list(label_of.values()), pictures)


def _box(annotation: _Annotation, image: _Image, label: str) -> LabelledBox:
    x, y, width, height = annotation.bbox
    xyxy = normalised((x, y, x + width, y + height), image.width, image.height)
    match annotation.segmentation:
        case [numbers] if len(numbers) >= 2 * _CORNERS and len(numbers) % 2 == 0:
            return LabelledBox(xyxy, label, outline_of(numbers, image.width, image.height))
        case _:
            return LabelledBox(xyxy, label)
