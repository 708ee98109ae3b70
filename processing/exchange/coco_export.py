"""Writing COCO's `instances` JSON: what people said of pictures, for everybody else's tools."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from processing.exchange.coco import CocoAnnotation, CocoCategory, CocoImage
from processing.exchange.labelled import LabelledPicture, in_pixels
from processing.exchange.outlines import area_of, outline_in_pixels


class Info(Struct, frozen=True):
    description: str
    date_created: str
    version: str = "1.0"


class DatedImage(CocoImage, frozen=True, kw_only=True, omit_defaults=True):
    date_captured: str
    classes: tuple[str, ...] = ()
    """Of the picture as a whole; not COCO's, which readers skip."""


class NumberedAnnotation(CocoAnnotation, frozen=True, kw_only=True):
    id: int
    segmentation: list[list[float]]


class CocoFile(Struct, frozen=True):
    """A whole file."""

    info: Info
    images: list[DatedImage]
    annotations: list[NumberedAnnotation]
    categories: list[CocoCategory]


def to_coco(
    pictures: Iterable[LabelledPicture],
    *,
    labels: Sequence[str],
    description: str,
    at: datetime,
) -> CocoFile:
    """Return the file of these pictures.

    A category's id is its place in `labels` plus one; an image's comes from its UUID, so that both
    are the same in every file. Annotations are numbered through. Raise `KeyError` for a box whose
    label is none of `labels`.
    """
    category_ids = {name: index + 1 for index, name in enumerate(labels)}
    images: list[DatedImage] = []
    annotations: list[NumberedAnnotation] = []
    for picture in pictures:
        image = _image(picture)
        images.append(image)
        for box in picture.boxes:
            bbox = in_pixels(box.xyxy, picture.width, picture.height)
            outline = outline_in_pixels(box.polygon, picture.width, picture.height)
            annotations.append(
                NumberedAnnotation(
                    id=len(annotations) + 1,
                    image_id=image.id,
                    category_id=category_ids[box.label],
                    bbox=bbox,
                    area=round(area_of(outline) if outline else bbox[2] * bbox[3], 4),
                    segmentation=[outline] if outline else [],
                )
            )
    return CocoFile(
        info=Info(description, at.isoformat()),
        images=images,
        annotations=annotations,
        categories=[CocoCategory(number, name) for name, number in category_ids.items()],
    )


def encode_coco(file: CocoFile) -> bytes:
    """Return the JSON."""
    return msgspec.json.encode(file)


def image_id(picture_id: UUID) -> int:
    """Return a number for the picture, always the same; below 2**53, so that JSON keeps it."""
    return int.from_bytes(hashlib.sha256(picture_id.bytes).digest()[:8]) >> 11


def _image(picture: LabelledPicture) -> DatedImage:
    return DatedImage(
        id=image_id(picture.id),
        file_name=picture.file_name,
        width=picture.width,
        height=picture.height,
        date_captured=picture.captured_at.isoformat(),
        classes=picture.classes,
    )
