"""What is written is read by tools and readers that are not ours."""

import contextlib
import io
import json
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import given
from pycocotools.coco import COCO

from processing.exchange.coco_export import image_id
from processing.exchange.labelled import LabelledPicture
from tests.processing.exchange.labelled_sets import LABELS, picture_lists, written


def stem(picture: LabelledPicture) -> str:
    return picture.file_name.removesuffix(".jpg")


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
        rows = files[f"labels/{stem(picture)}.txt"].decode().splitlines()
        for row, box in zip(rows, picture.boxes, strict=True):
            number, x, y, width, height = (float(value) for value in row.split(" "))
            x0, y0, x1, y1 = box.xyxy
            assert names[int(number)] == box.label
            assert (x, y) == pytest.approx(((x0 + x1) / 2, (y0 + y1) / 2), abs=1e-7)
            assert (width, height) == pytest.approx((x1 - x0, y1 - y0), abs=1e-6)


@given(pictures=picture_lists())
def test_a_reader_of_yolos_own_description_reads_outlines(pictures: list[LabelledPicture]) -> None:
    files = dict(written("yolo_seg", pictures))
    for picture in pictures:
        rows = files[f"labels/{stem(picture)}.txt"].decode().splitlines()
        for row, box in zip(rows, picture.boxes, strict=True):
            number, *places = row.split(" ")
            assert LABELS[int(number)] == box.label
            xs, ys = [float(x) for x in places[::2]], [float(y) for y in places[1::2]]
            assert (min(xs), min(ys), max(xs), max(ys)) == pytest.approx(box.xyxy, abs=1e-6)
            if box.polygon:
                assert list(zip(xs, ys, strict=True)) == [*box.polygon]


@given(pictures=picture_lists())
def test_a_reader_of_vocs_own_description_reads_voc(pictures: list[LabelledPicture]) -> None:
    files = dict(written("voc", pictures))
    for picture in pictures:
        root = ET.fromstring(files[f"Annotations/{stem(picture)}.xml"])
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
        assert item["id"] == stem(picture)
        assert item["image"]["size"] == [picture.height, picture.width]
        kinds = [each["type"] for each in item.get("annotations", [])]
        assert kinds.count("bbox") == len(picture.boxes)
        assert kinds.count("polygon") == sum(bool(box.polygon) for box in picture.boxes)
        told_classes = [
            names[each["label_id"]] for each in item["annotations"] if each["type"] == "label"
        ]
        assert told_classes == list(picture.classes)
