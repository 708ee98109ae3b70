"""COCO's `instances` JSON: pictures, categories and boxes."""

from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta, Struct

from processing.exchange.labelled import Side
from processing.vision.truth import Truth

MAX_BYTES: Final = 1024 * 1024 * 1024


class NotCoco(ValueError):
    """The bytes are not COCO annotations; the text says where they are not."""


class CocoImage(Struct, frozen=True):
    """One picture."""

    id: int
    file_name: str
    width: Side
    height: Side


class CocoCategory(Struct, frozen=True):
    """One class."""

    id: int
    name: str


class CocoAnnotation(Struct, frozen=True):
    """One box of one picture."""

    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    """x, y, width, height in pixels."""
    area: float | None = None
    """Of what is in the box, in square pixels."""
    iscrowd: Annotated[int, Meta(ge=0, le=1)] = 0


class CocoDataset(Struct, frozen=True):
    """The whole file."""

    images: list[CocoImage]
    categories: list[CocoCategory]
    annotations: list[CocoAnnotation]


def read_coco(content: bytes) -> CocoDataset:
    """Return the dataset; raise `NotCoco` that names the field at fault."""
    if len(content) > MAX_BYTES:
        raise NotCoco(f"{len(content)} bytes; at most {MAX_BYTES} are read")
    try:
        dataset = msgspec.json.decode(content, type=CocoDataset)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotCoco(f"not COCO annotations: {error}") from error
    known = {image.id for image in dataset.images}
    categories = {category.id for category in dataset.categories}
    for annotation in dataset.annotations:
        if annotation.image_id not in known or annotation.category_id not in categories:
            raise NotCoco(f"an annotation of an unknown picture or category: {annotation}")
    return dataset


def truth_by_image(dataset: CocoDataset, labels: tuple[str, ...]) -> dict[int, Truth]:
    """Return what is in every picture, with labels as indices into `labels`.

    Categories are matched by name, so their numbers may be COCO's (1 to 90, with holes) or any.
    Raise `NotCoco` for a category that is not among the labels.
    """
    index_of = {name: index for index, name in enumerate(labels)}
    unknown = sorted({category.name for category in dataset.categories} - index_of.keys())
    if unknown:
        raise NotCoco(f"categories that the bundle does not know: {', '.join(unknown[:10])}")
    label_of = {category.id: index_of[category.name] for category in dataset.categories}
    found: dict[int, list[CocoAnnotation]] = {image.id: [] for image in dataset.images}
    for annotation in dataset.annotations:
        found[annotation.image_id].append(annotation)
    return {image: _as_arrays(boxes, label_of) for image, boxes in found.items()}


def _as_arrays(annotations: list[CocoAnnotation], label_of: dict[int, int]) -> Truth:
    boxes = np.array([each.bbox for each in annotations], np.float32).reshape(-1, 4)
    sizes = boxes[:, 2] * boxes[:, 3]
    return Truth(
        xyxy=np.concatenate((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]), axis=1),
        labels=np.array([label_of[each.category_id] for each in annotations], np.int32),
        is_crowd=np.array([each.iscrowd for each in annotations], np.bool_),
        areas=np.array(
            [
                size if each.area is None else each.area
                for each, size in zip(annotations, sizes, strict=True)
            ],
            np.float32,
        ),
    )
