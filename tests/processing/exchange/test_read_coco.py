"""COCO annotations in: boxes by picture, categories by name."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.exchange.coco import NotCoco, read_coco, truth_by_image

LABELS = ("person", "bicycle", "car")


def a_dataset(**changes: Any) -> bytes:  # any JSON
    dataset: dict[str, Any] = {
        "info": {"ignored": True},
        "images": [
            {"id": 9, "file_name": "a.jpg", "width": 100, "height": 80},
            {"id": 12, "file_name": "b.jpg", "width": 50, "height": 40},
        ],
        "categories": [{"id": 18, "name": "car"}, {"id": 1, "name": "person"}],
        "annotations": [
            {"id": 1, "image_id": 9, "category_id": 18, "bbox": [10, 20, 30, 40], "area": 500.5},
            {"id": 2, "image_id": 9, "category_id": 1, "bbox": [0, 0, 5, 6], "iscrowd": 1},
        ],
    }
    return json.dumps(dataset | changes).encode()


def test_it_works() -> None:
    truth = truth_by_image(read_coco(a_dataset()), LABELS)
    assert truth[9].xyxy.tolist() == [[10, 20, 40, 60], [0, 0, 5, 6]]
    assert truth[9].labels.tolist() == [2, 0]
    assert truth[9].areas.tolist() == [500.5, 30.0]
    assert truth[9].is_crowd.tolist() == [False, True]


def test_a_picture_without_boxes_is_there_and_empty() -> None:
    truth = truth_by_image(read_coco(a_dataset()), LABELS)
    assert truth[12].xyxy.shape == (0, 4)


def test_a_category_that_the_bundle_lacks_is_named() -> None:
    with pytest.raises(NotCoco, match="car"):
        truth_by_image(read_coco(a_dataset()), ("person",))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"images": "none"}, r"\$\.images"),
        ({"annotations": [{"image_id": 9, "category_id": 1, "bbox": [1, 2, 3]}]}, "bbox"),
        ({"annotations": [{"image_id": 5, "category_id": 1, "bbox": [1, 2, 3, 4]}]}, "unknown"),
        ({"annotations": [{"image_id": 9, "category_id": 7, "bbox": [1, 2, 3, 4]}]}, "category"),
    ],
    ids=["images", "box", "image", "category"],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(NotCoco, match=says):
        read_coco(a_dataset(**changes))


@given(st.binary(max_size=100))
def test_no_bytes_make_it_raise_anything_else(content: bytes) -> None:
    with pytest.raises(NotCoco):
        read_coco(content)
