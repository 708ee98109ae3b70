"""Numbers that nobody means are refused, naming file and field; what is lost is said."""

import json
from typing import Any

import pytest

from processing.exchange.labelled import BadSet, LabelledBox, ReadSet
from processing.exchange.outlines import MAX_CORNERS
from processing.wire.limits import MAX_DETECTIONS
from tests.factories import JPEG
from tests.processing.exchange.labelled_sets import read

HUGE = "9" * 400
TRIANGLE = ((0.25, 0.25), (0.75, 0.25), (0.5, 0.75))


def coco(
    annotation: dict[str, Any] | None = None, **image: Any
) -> list[tuple[str, bytes]]:  # any JSON
    images = [{"id": 1, "file_name": "a.jpg", "width": 64, "height": 48} | image]
    boxes = [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9]} | (annotation or {})]
    document = {
        "images": images,
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": boxes,
    }
    return [("set.json", json.dumps(document).encode()), ("a.jpg", JPEG)]


def datumaro(
    *annotations: dict[str, Any], size: Any = (8, 8)
) -> list[tuple[str, bytes]]:  # any JSON
    document = {
        "categories": {"label": {"labels": [{"name": "cat"}, {"name": "dog"}]}},
        "items": [
            {
                "id": "a",
                "annotations": [{"id": 0, "label_id": 0} | each for each in annotations],
                "image": {"path": "a.jpg", "size": size},
            }
        ],
    }
    return [("set.json", json.dumps(document).encode()), ("a.jpg", JPEG)]


def voc_thing(xmax: str = "6") -> str:
    edges = f"<xmin>2</xmin><ymin>2</ymin><xmax>{xmax}</xmax><ymax>6</ymax>"
    return f"<name>cat</name><bndbox>{edges}</bndbox>"


def voc(width: str = "8", xmax: str = "6", more: str = "") -> list[tuple[str, bytes]]:
    thing = f"<object>{voc_thing(xmax)}{more}</object>"
    size = f"<size><width>{width}</width><height>8</height></size>"
    xml = f"<annotation>{size}{thing}</annotation>"
    return [("JPEGImages/a.jpg", JPEG), ("Annotations/a.xml", xml.encode())]


def yolo(line: str, names: str = "names: [cat, dog]") -> list[tuple[str, bytes]]:
    return [("data.yaml", names.encode()), ("a.jpg", JPEG), ("a.txt", line.encode())]


def grown() -> str:
    """A kilobyte of YAML that would be a million entries."""
    levels = ["a0: &a0 {x: 1}"]
    levels += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 7)]
    return "\n".join([*levels, "names: [cat]"])


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (coco(width=10**30), r"set\.json .* `\$\.images\[0\]\.width`"),
        (coco(height=70_000), r"<= 65535 - at `\$\.images\[0\]\.height`"),
        (coco(width=0), r"`\$\.images\[0\]\.width`"),
        (coco({"bbox": [1, 1, 1e300, 9]}), r"set\.json: `annotations\[0\]` is a place at 1e\+300"),
        (coco({"bbox": [1, 1, int(HUGE), 9]}), r"`\$\.annotations\[0\]\.bbox\[2\]`"),
        (coco({"bbox": [9, 9, -5, 9]}), r"`annotations\[0\]` is a box whose right"),
        (coco({"segmentation": [[1, 1, 9, 1, 9, 9, 5]]}), r"annotations\[0\]` is an outline of 7"),
        (coco({"segmentation": [[1] * 20_002]}), "an outline of 20002 numbers"),
        (datumaro(size=[int(HUGE), 8]), r"`\$\.items\[0\]\.image\.size\[0\]`"),
        (datumaro(size=[8, 0]), r"`\$\.items\[0\]\.image\.size\[1\]`"),
        (datumaro(size=None), r"set\.json: `items\[0\]` \(a\) has no picture with a size"),
        (datumaro({"type": "bbox", "bbox": [0, 0, 1e9, 1]}), r"`items\[0\]` \(a\) has a place at"),
        (datumaro({"type": "polygon", "points": [1, 1, 2]}), r"`items\[0\]` .* outline of 3"),
        (datumaro({"type": "bbox", "label_id": 2}), "whose label is not in the set"),
        (voc(width=HUGE), r"Annotations/a\.xml .* size/width is inf"),
        (voc(width="70000"), "size/width is 70000, and not 1 to 65535"),
        (voc(width="nan"), "size/width is nan"),
        (voc(width="wide"), "size/width is no number: “wide”"),
        (voc(xmax="1e300"), r"Annotations/a\.xml .* a place at 1e\+300"),
        (voc(xmax="nan"), "a place at nan"),
        (voc(xmax="1"), "a box whose right"),
        (voc(more="<polygon><x1>1</x1><y1>1</y1><x2>5</x2></polygon>"), "polygon/y2 is no number"),
        (yolo("0 0.5 0.5 nan 0.5"), r"a\.txt, line 1: nan is no share"),
        (yolo("0 320 240 64 48"), "line 1: 320 is no share of a picture, which is from 0 to 1"),
        (yolo(f"{HUGE} 0.5 0.5 0.5 0.5"), "no class has the number"),
        (yolo("0 0.5 0.5 -0.009 0.5"), "a box whose right"),
        (yolo("0 0.5 0.5"), "not a box"),
        (yolo("\n0 a b c d"), "line 2: could not convert"),
        (yolo("0 0.5 0.5 0.5 0.5", "names: [cat]\nkpt_shape: [17, 3]"), "keypoints"),
        (yolo("0 0.5 0.5 0.5 0.5", grown()), r"data\.yaml is not YAML that we read"),
    ],
)  # fmt: skip
def test_it_is_refused_in_words(files: list[tuple[str, bytes]], words: str) -> None:
    with pytest.raises(BadSet, match=words):
        read(files)


@pytest.mark.parametrize(
    "files",
    [
        yolo("0 0.5 0.5 0.5 0.5\n" * (MAX_DETECTIONS + 1) + "0 a b c d"),
        voc(more="</object><object>".join(["", *[voc_thing()] * MAX_DETECTIONS, "<name/>"])),
    ],
    ids=["yolo", "voc"],
)
def test_of_too_many_boxes_no_more_are_read(files: list[tuple[str, bytes]]) -> None:
    with pytest.raises(BadSet, match=f"a.jpg has more than {MAX_DETECTIONS} boxes"):
        read(files)


def only_box(found: ReadSet) -> LabelledBox:
    (picture,) = found.pictures
    (box,) = picture.boxes or ()
    return box


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (coco({"segmentation": {"counts": [1], "size": [48, 64]}}), "Masks came in as their boxes"),
        (
            coco({"segmentation": [[1, 1, 5, 1, 5, 5], [7, 7, 9, 7, 9, 9]]}),
            "Outlines in several parts came in as their boxes",
        ),
        (coco({"iscrowd": 1}), "Crowds came in as one box each"),
        (coco({"num_keypoints": 3}), "Things with keypoints came in without them"),
        (
            datumaro({"type": "bbox", "bbox": [1, 1, 2, 2]}, {"type": "mask"}),
            "Annotations of the kind “mask” were left out",
        ),
        (
            datumaro(
                {"type": "bbox", "bbox": [1, 1, 6, 6], "group": 1},
                {"type": "polygon", "points": [1, 1, 3, 1, 3, 3], "group": 1},
                {"type": "polygon", "points": [5, 5, 7, 5, 7, 7], "group": 1},
            ),
            "Outlines in several parts came in as their boxes",
        ),
        (yolo("0 0.5 0.5 0.5 0.5 0.93"), "How sure a model was is not kept"),
    ],
)
def test_what_is_lost_of_a_thing_is_said(files: list[tuple[str, bytes]], words: str) -> None:
    found = read(files)
    assert not only_box(found).polygon
    assert found.notes == [f"{words}: 1."]


@pytest.mark.parametrize(
    "files",
    [
        coco({"bbox": [16, 12, 32, 24], "segmentation": [[16, 12, 48, 12, 32, 36]]}),
        datumaro({"type": "polygon", "points": [2, 2, 6, 2, 4, 6], "group": 7}),
        datumaro(
            {"type": "polygon", "points": [2, 2, 6, 2, 4, 6], "group": 7},
            {"type": "bbox", "bbox": [2, 2, 4, 4], "group": 7},
        ),
        voc(more="<polygon><x1>2</x1><y1>2</y1><x2>6</x2><y2>2</y2><x3>4</x3><y3>6</y3></polygon>"),
        voc(
            more="<polygon><pt><x>2</x><y>2</y></pt><pt><x>6</x><y>2</y></pt>"
            "<pt><x>4</x><y>6</y></pt></polygon>"
        ),
        yolo("0 0.25 0.25 0.75 0.25 0.5 0.75"),
    ],
)
def test_an_outline_comes_in_with_the_box_that_bounds_it(files: list[tuple[str, bytes]]) -> None:
    found = read(files)
    assert only_box(found) == LabelledBox((0.25, 0.25, 0.75, 0.75), "cat", TRIANGLE)
    assert not found.notes


def test_a_group_of_two_classes_is_two_things() -> None:
    found = read(
        datumaro(
            {"type": "bbox", "bbox": [0, 0, 8, 8], "group": 1},
            {"type": "polygon", "points": [2, 2, 6, 2, 4, 6], "group": 1, "label_id": 1},
        )
    )
    (picture,) = found.pictures
    assert picture.boxes == (
        LabelledBox((0, 0, 1, 1), "cat"),
        LabelledBox((0.25, 0.25, 0.75, 0.75), "dog", TRIANGLE),
    )


def test_a_box_that_its_outline_does_not_fill_is_drawn_anew() -> None:
    found = read(coco({"bbox": [0, 0, 64, 48], "segmentation": [[16, 12, 48, 12, 32, 36]]}))
    assert only_box(found).xyxy == (0.25, 0.25, 0.75, 0.75)
    assert found.notes == ["Boxes were drawn anew around their outlines: 1."]


def test_an_outline_too_fine_to_edit_is_made_simpler_and_stays_where_it_was() -> None:
    upper = [(n / 1000, 0.2 if n % 2 else 0.21) for n in range(100, 900)]
    line = " ".join(f"{x} {y}" for x, y in [*upper, (0.9, 0.8), (0.1, 0.8)])
    found = read(yolo(f"0 {line}"))
    box = only_box(found)
    assert 4 <= len(box.polygon) <= MAX_CORNERS
    assert box.xyxy == pytest.approx((0.1, 0.2, 0.9, 0.8), abs=0.02)
    assert found.notes == [f"Outlines of more than {MAX_CORNERS} corners were made simpler: 1."]


def test_an_outline_that_surrounds_nothing_is_its_box() -> None:
    line = " ".join(f"{n / 1000} {n / 1000}" for n in range(100, 900))
    found = read(yolo(f"0 {line}"))
    assert only_box(found) == LabelledBox((0.1, 0.1, 0.899, 0.899), "cat")
    assert "Outlines that surround nothing came in as their boxes: 1." in found.notes
