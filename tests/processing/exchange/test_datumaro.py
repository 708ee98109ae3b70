"""Datumaro's own reader reads what is written, in each format that it knows.

It needs what must not be in the project's environment, so it is run in one of its own, by the
interpreter that FARWATCH_DATUMARO_PYTHON names.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid5

import cv2
import numpy as np
import pytest

from processing.exchange.coco_export import image_id
from processing.exchange.labelled import LabelledBox, LabelledPicture, in_pixels
from processing.exchange.outlines import outline_in_pixels
from processing.exchange.sets import PICTURE_FOLDERS
from tests.processing.exchange.labelled_sets import AT, LABELS, NAMESPACE, written

PYTHON = os.environ.get("FARWATCH_DATUMARO_PYTHON", "")
READER = Path(__file__).with_name("with_datumaro.py")
NAMES_OF = {
    "coco": "coco_instances",
    "yolo": "yolo",
    "voc": "voc_detection",
    "datumaro": "datumaro",
}
"""What Datumaro calls each format; outlines in YOLO's way it does not read."""

PIXELS = 0.02
"""How far a place may lie off: Datumaro rounds to hundredths."""

Annotation = tuple[str, str, list[float]]
"""Kind, class, and place in pixels."""

pytestmark = pytest.mark.skipif(not PYTHON, reason="FARWATCH_DATUMARO_PYTHON names no interpreter")


def pictures() -> list[LabelledPicture]:
    random = np.random.default_rng(5)
    return [
        LabelledPicture(
            id=(number_id := uuid5(NAMESPACE, str(number))),
            file_name=f"{number_id}.jpg",
            width=int(random.integers(16, 400)),
            height=int(random.integers(16, 400)),
            captured_at=AT,
            boxes=tuple(random_box(random) for _ in range(number % 4)),
            classes=(LABELS[number % 5],) if number % 3 == 0 else (),
        )
        for number in range(12)
    ]


def random_box(random: np.random.Generator) -> LabelledBox:
    points = np.round(random.random((5, 2)), 6)
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    outline = tuple((x, y) for x, y in points.tolist()) if random.random() < 0.5 else ()
    return LabelledBox((x0, y0, x1, y1), str(random.choice(LABELS)), outline)


def lay_out(format_: str, folder: Path) -> None:
    """Write the set as a person would lay it out."""
    for name, content in written(format_, pictures()):
        if name == "annotations.json":
            name = "annotations/instances_default.json"  # noqa: PLW2901 - where COCO has it
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    for picture in pictures():
        black = np.zeros((picture.height, picture.width, 3), np.uint8)
        cv2.imwrite(str(folder / PICTURE_FOLDERS[format_] / picture.file_name), black)


def expected(format_: str, picture: LabelledPicture) -> Iterator[Annotation]:
    size = (picture.width, picture.height)
    for box in picture.boxes:
        outline = outline_in_pixels(box.polygon, *size)
        if format_ in {"coco", "datumaro"} and outline:
            yield "polygon", box.label, outline
        yield "bbox", box.label, [*in_pixels(box.xyxy, *size)]
    if format_ == "datumaro":
        yield from (("label", name, []) for name in picture.classes)


@pytest.mark.parametrize("format_", NAMES_OF)
def test_it_reads_every_box_class_and_picture(format_: str, tmp_path: Path) -> None:
    lay_out(format_, tmp_path)
    run = subprocess.run(
        [PYTHON, str(READER), str(tmp_path), NAMES_OF[format_]],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert [name for name in told["labels"] if name != "background"] == list(LABELS)
    assert told["items"].keys() == {str(picture.id) for picture in pictures()}
    for picture in pictures():
        item = told["items"][str(picture.id)]
        assert item["size"] == [picture.height, picture.width]
        if format_ == "coco":
            assert item["number"] == image_id(picture.id)
        found = [
            (each["kind"], told["labels"][each["label"]], each["place"])
            for each in item["annotations"]
        ]
        wanted = [*expected(format_, picture)]
        assert sorted(each[:2] for each in found) == sorted(each[:2] for each in wanted)
        for kind, label, place in wanted:
            places = [there for *what, there in found if what == [kind, label]]
            assert any(there == pytest.approx(place, abs=PIXELS) for there in places)
