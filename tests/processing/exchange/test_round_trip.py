"""What is written is read back whole."""

import json

import pytest
from hypothesis import given
from msgspec.structs import replace

from processing.exchange.labelled import LabelledBox, LabelledPicture, ReadPicture
from processing.exchange.outlines import corners
from processing.exchange.sets import PICTURE_FOLDERS, WRITERS, left_out
from tests.factories import JPEG
from tests.processing.exchange.labelled_sets import (
    AT,
    FORMATS,
    LABELS,
    NAMESPACE,
    picture_lists,
    read,
    written,
)


def as_the_format_has_it(format_: str, picture: LabelledPicture) -> ReadPicture:
    knows_size = not format_.startswith("yolo")
    return ReadPicture(
        file_name=f"{PICTURE_FOLDERS[format_]}/{picture.file_name}",
        width=picture.width if knows_size else None,
        height=picture.height if knows_size else None,
        boxes=tuple(as_the_format_has_the_box(format_, box) for box in picture.boxes),
        classes=picture.classes if format_ in {"coco", "datumaro"} else (),
    )


def as_the_format_has_the_box(format_: str, box: LabelledBox) -> LabelledBox:
    is_plain = len(box.polygon) == 4 and {*box.polygon} == {*corners(box.xyxy)}
    if format_ == "yolo" or (format_ == "yolo_seg" and is_plain):
        return LabelledBox(box.xyxy, box.label)
    return box


@pytest.mark.parametrize("format_", FORMATS)
@given(pictures=picture_lists())
def test_nothing_that_a_format_knows_is_lost(format_: str, pictures: list[LabelledPicture]) -> None:
    found = read(written(format_, pictures))
    assert list(found.labels) == list(LABELS)
    expected = {
        each.file_name: each for each in (as_the_format_has_it(format_, p) for p in pictures)
    }
    assert {each.file_name: each for each in found.pictures} == expected


@given(pictures=picture_lists())
def test_from_format_to_format_everything_stays_where_it_is(
    pictures: list[LabelledPicture],
) -> None:
    handed_on = [replace(each, classes=()) for each in pictures]
    for format_ in ("voc", "coco", "datumaro", "yolo_seg", "yolo"):
        boxes = {
            each.file_name: each.boxes or () for each in read(written(format_, handed_on)).pictures
        }
        folder = PICTURE_FOLDERS[format_]
        handed_on = [replace(p, boxes=boxes[f"{folder}/{p.file_name}"]) for p in handed_on]
    for before, after in zip(pictures, handed_on, strict=True):
        assert [(b.xyxy, b.label) for b in after.boxes] == [(b.xyxy, b.label) for b in before.boxes]


@pytest.mark.parametrize(
    ("format_", "words"),
    [
        ("coco", []),
        ("datumaro", []),
        ("voc", ["Pictures whose own classes were left out: 1."]),
        ("yolo_seg", ["Pictures whose own classes were left out: 1."]),
        (
            "yolo",
            [
                "Outlines went out as their boxes: 2.",
                "Pictures whose own classes were left out: 1.",
            ],
        ),
    ],
)
def test_what_a_format_cannot_hold_is_said(format_: str, words: list[str]) -> None:
    outlined = LabelledBox((0.1, 0.1, 0.5, 0.5), "person", ((0.1, 0.1), (0.5, 0.1), (0.3, 0.5)))
    boxes = (outlined, outlined, LabelledBox((0, 0, 1, 1), "bicycle"))
    with_all = LabelledPicture(
        id=NAMESPACE,
        file_name="a.jpg",
        width=64,
        height=48,
        captured_at=AT,
        boxes=boxes,
        classes=("person",),
    )
    assert left_out(format_, [with_all, replace(with_all, boxes=(), classes=())]) == words


def test_an_outline_without_a_box_gets_one() -> None:
    ((name, content), *_) = list(WRITERS["datumaro"]([], labels=LABELS))
    told = json.loads(content)
    outline = {"id": 0, "type": "polygon", "label_id": 0, "points": [1, 1, 5, 1, 3, 7]}
    told["items"] = [
        {"id": "a", "annotations": [outline], "image": {"path": "a.jpg", "size": [8, 8]}}
    ]
    (picture,) = read([(name, json.dumps(told).encode()), ("images/default/a.jpg", JPEG)]).pictures
    assert picture.boxes is not None
    assert picture.boxes[0].xyxy == (0.125, 0.125, 0.625, 0.875)


def test_pictures_that_a_set_does_not_speak_of_are_unlabelled() -> None:
    content = b'{"images": [], "categories": [], "annotations": []}'
    (picture,) = read([("set.json", content), ("a.jpg", JPEG)]).pictures
    assert picture.boxes is None
