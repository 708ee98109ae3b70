"""Reading COCO's `instances` JSON as a set: boxes, outlines, and the pictures' own classes."""

from collections import Counter
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
    told,
)
from processing.exchange.outlines import MIN_NUMBERS, with_outline


class _Image(CocoImage, frozen=True):
    classes: tuple[str, ...] = ()


class _Annotation(CocoAnnotation, frozen=True):
    segmentation: list[list[float]] | dict[str, object] | None = None
    """Outlines, or a mask: of a mask its box is what counts."""
    num_keypoints: int = 0


class _Dataset(Struct, frozen=True):
    images: list[_Image]
    categories: Annotated[list[CocoCategory], Meta(max_length=10_000)]
    annotations: list[_Annotation]


def read_coco_set(content: bytes, file: str) -> ReadSet:
    """Return the set; raise `BadSet` naming `file` and the field at fault."""
    try:
        dataset = msgspec.json.decode(content, type=_Dataset)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadSet(f"{file} is not COCO annotations: {error}") from error
    images = {image.id: image for image in dataset.images}
    label_of = {each.id: each.name for each in sorted(dataset.categories, key=lambda each: each.id)}
    if len(images) < len(dataset.images) or len(label_of) < len(dataset.categories):
        raise BadSet(f"{file} has two pictures or two categories of one id")
    found: dict[int, list[LabelledBox]] = {image_id: [] for image_id in images}
    lost: Counter[str] = Counter()
    for index, annotation in enumerate(dataset.annotations):
        image, label = images.get(annotation.image_id), label_of.get(annotation.category_id)
        if image is None or label is None:
            raise BadSet(f"{file} has a box of a picture or category that is not in it")
        try:
            found[image.id].append(_box(annotation, image, label, lost))
        except ValueError as error:
            raise BadSet(f"{file}: `annotations[{index}]` is {error}") from error
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
    return ReadSet("COCO", list(label_of.values()), pictures, told(lost))


def _box(annotation: _Annotation, image: _Image, label: str, lost: Counter[str]) -> LabelledBox:
    x, y, width, height = annotation.bbox
    size = (image.width, image.height)
    box = LabelledBox(normalised((x, y, x + width, y + height), *size), label)
    lost.update(_words_for(annotation))
    match annotation.segmentation:
        case [numbers] if len(numbers) >= MIN_NUMBERS:
            return with_outline(box, numbers, width=size[0], height=size[1], lost=lost)
        case _:
            return box


def _words_for(annotation: _Annotation) -> list[str]:
    """Say what of an annotation is not kept."""
    words = []
    match annotation.segmentation:
        case dict():
            words.append("Masks came in as their boxes")
        case [_, _, *_]:
            words.append("Outlines in several parts came in as their boxes")
    if annotation.iscrowd:
        words.append("Crowds came in as one box each")
    if annotation.num_keypoints:
        words.append("Things with keypoints came in without them")
    return words
