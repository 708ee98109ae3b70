"""What is written is read back whole, by us and by readers that are not ours."""

import contextlib
import io
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from uuid import UUID, uuid5
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some
from pycocotools.coco import COCO

from processing.exchange.coco_export import encode_coco, image_id, to_coco
from processing.exchange.labelled import LabelledBox, LabelledPicture, Polygon, ReadPicture, ReadSet
from processing.exchange.sets import PICTURE_FOLDERS, WRITERS, read_archive
from tests.factories import JPEG
from tests.processing.exchange.archives import opened, zipped

LABELS = ("person", "bicycle", "traffic light", "été", "a & b")
FORMATS = tuple(PICTURE_FOLDERS)
WITH_OUTLINES = ("coco", "datumaro")
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAMESPACE = UUID(int=7)

edges = some.integers(0, 999_999).map(lambda millionth: millionth / 1_000_000)


@some.composite
def boxes(draw: some.DrawFn) -> LabelledBox:
    label = draw(some.sampled_from(LABELS))
    if draw(some.booleans()):
        points: Polygon = tuple(draw(some.lists(some.tuples(edges, edges), min_size=3, max_size=9)))
        xs, ys = zip(*points, strict=True)
        return LabelledBox((min(xs), min(ys), max(xs), max(ys)), label, points)
    x0, x1 = sorted((draw(edges), draw(edges)))
    y0, y1 = sorted((draw(edges), draw(edges)))
    return LabelledBox((x0, y0, x1, y1), label)


@some.composite
def picture_lists(draw: some.DrawFn) -> list[LabelledPicture]:
    return [
        LabelledPicture(
            id=uuid5(NAMESPACE, str(number)),
            file_name=f"{uuid5(NAMESPACE, str(number))}.jpg",
            width=draw(some.integers(16, 4000)),
            height=draw(some.integers(16, 4000)),
            captured_at=AT,
            boxes=tuple(draw(some.lists(boxes(), max_size=5))),
            classes=tuple(draw(some.lists(some.sampled_from(LABELS), unique=True, max_size=2))),
        )
        for number in range(draw(some.integers(1, 4)))
    ]


def written(format_: str, pictures: list[LabelledPicture]) -> list[tuple[str, bytes]]:
    folder = PICTURE_FOLDERS[format_]
    if format_ == "coco":
        file = to_coco(pictures, labels=LABELS, description="All", at=AT)
        files = [("annotations.json", encode_coco(file))]
    else:
        files = list(WRITERS[format_](pictures, labels=LABELS))
    return [*files, *((f"{folder}/{picture.file_name}", JPEG) for picture in pictures)]


def read(files: list[tuple[str, bytes]]) -> ReadSet:
    with opened(zipped(files)) as archive:
        return read_archive(archive)


def as_the_format_has_it(format_: str, picture: LabelledPicture) -> ReadPicture:
    keeps_all, knows_size = format_ in WITH_OUTLINES, format_ != "yolo"
    return ReadPicture(
        file_name=f"{PICTURE_FOLDERS[format_]}/{picture.file_name}",
        width=picture.width if knows_size else None,
        height=picture.height if knows_size else None,
        boxes=picture.boxes
        if keeps_all
        else tuple(LabelledBox(box.xyxy, box.label) for box in picture.boxes),
        classes=picture.classes if keeps_all else (),
    )


@pytest.mark.parametrize("format_", FORMATS)
@given(pictures=picture_lists())
def test_nothing_that_a_format_knows_is_lost(format_: str, pictures: list[LabelledPicture]) -> None:
    found = read(written(format_, pictures))
    assert list(found.labels) == list(LABELS)
    expected = {
        each.file_name: each for each in (as_the_format_has_it(format_, p) for p in pictures)
    }
    assert {each.file_name: each for each in found.pictures} == expected


@pytest.mark.parametrize("format_", FORMATS)
@given(pictures=picture_lists())
def test_from_one_format_to_the_next_and_back_boxes_stay_where_they_are(
    format_: str, pictures: list[LabelledPicture]
) -> None:
    read_once = {
        PurePosixPath(p.file_name).name: p for p in read(written("yolo", pictures)).pictures
    }
    again = [
        LabelledPicture(
            id=picture.id,
            file_name=picture.file_name,
            width=picture.width,
            height=picture.height,
            captured_at=AT,
            boxes=read_once[picture.file_name].boxes or (),
        )
        for picture in pictures
    ]
    found = {PurePosixPath(p.file_name).name: p for p in read(written(format_, again)).pictures}
    for picture in pictures:
        plain = [(box.xyxy, box.label) for box in picture.boxes]
        assert [(box.xyxy, box.label) for box in found[picture.file_name].boxes or ()] == plain


@given(pictures=picture_lists())
def test_pycocotools_reads_coco(pictures: list[LabelledPicture]) -> None:
    ((_, content), *_) = written("coco", pictures)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = Path(folder) / "set.json"
        path.write_bytes(content)
        coco = COCO(str(path))
    names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
    assert names == dict(enumerate(LABELS, 1))
    for picture in pictures:
        found = coco.loadAnns(coco.getAnnIds(imgIds=[image_id(picture.id)]))
        assert [names[each["category_id"]] for each in found] == [b.label for b in picture.boxes]
        for each, box in zip(found, picture.boxes, strict=True):
            x, y, width, height = each["bbox"]
            x0, y0, x1, y1 = box.xyxy
            assert x == pytest.approx(x0 * picture.width, abs=1e-5)
            assert y + height == pytest.approx(y1 * picture.height, abs=1e-5)
            assert width == pytest.approx((x1 - x0) * picture.width, abs=1e-5)
            assert y == pytest.approx(y0 * picture.height, abs=1e-5)


@given(pictures=picture_lists())
def test_a_reader_of_yolos_own_description_reads_yolo(pictures: list[LabelledPicture]) -> None:
    files = dict(written("yolo", pictures))
    names = yaml.safe_load(files["data.yaml"])["names"]
    assert names == dict(enumerate(LABELS))
    for picture in pictures:
        rows = files[f"labels/{picture.id}.txt"].decode().splitlines()
        for row, box in zip(rows, picture.boxes, strict=True):
            number, x, y, width, height = (float(value) for value in row.split(" "))
            x0, y0, x1, y1 = box.xyxy
            assert names[int(number)] == box.label
            assert (x, y) == pytest.approx(((x0 + x1) / 2, (y0 + y1) / 2), abs=1e-7)
            assert (width, height) == pytest.approx((x1 - x0, y1 - y0), abs=1e-6)


@given(pictures=picture_lists())
def test_a_reader_of_vocs_own_description_reads_voc(pictures: list[LabelledPicture]) -> None:
    files = dict(written("voc", pictures))
    for picture in pictures:
        root = ET.fromstring(files[f"Annotations/{picture.id}.xml"])
        assert root.findtext("filename") == picture.file_name
        assert root.findtext("size/width") == str(picture.width)
        things = root.findall("object")
        assert [thing.findtext("name") for thing in things] == [b.label for b in picture.boxes]
        for thing, box in zip(things, picture.boxes, strict=True):
            place = [float(str(thing.findtext(f"bndbox/{e}"))) for e in ("xmin", "ymax")]
            x0, y1 = box.xyxy[0] * picture.width, box.xyxy[3] * picture.height
            assert place == pytest.approx([x0, y1], abs=1e-5)


@given(pictures=picture_lists())
def test_a_reader_of_datumaros_own_description_reads_datumaro(
    pictures: list[LabelledPicture],
) -> None:
    told = json.loads(dict(written("datumaro", pictures))["annotations/default.json"])
    names = [label["name"] for label in told["categories"]["label"]["labels"]]
    assert names == list(LABELS)
    for item, picture in zip(told["items"], pictures, strict=True):
        assert item["id"] == str(picture.id)
        assert item["image"]["size"] == [picture.height, picture.width]
        kinds = [each["type"] for each in item.get("annotations", [])]
        assert kinds.count("bbox") == len(picture.boxes)
        assert kinds.count("polygon") == sum(bool(box.polygon) for box in picture.boxes)
        told_classes = [
            names[each["label_id"]] for each in item["annotations"] if each["type"] == "label"
        ]
        assert told_classes == list(picture.classes)


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
