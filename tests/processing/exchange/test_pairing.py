"""What is said of a picture goes to that picture, whatever others are called."""

import json

import pytest

from processing.exchange.labelled import BadSet
from tests.factories import JPEG
from tests.processing.exchange.labelled_sets import read

NAMES = ("data.yaml", b"names: [left, right]")
ON_THE_LEFT, ON_THE_RIGHT = b"0 0.25 0.5 0.5 1", b"1 0.75 0.5 0.5 1"


def labels_by_picture(*files: tuple[str, bytes]) -> dict[str, list[str] | None]:
    return {
        picture.file_name: None if picture.boxes is None else [b.label for b in picture.boxes]
        for picture in read(list(files)).pictures
    }


def coco(*file_names: str) -> bytes:
    images = [
        {"id": id_, "file_name": name, "width": 64, "height": 48}
        for id_, name in enumerate(file_names)
    ]
    boxes = [
        {"image_id": id_, "category_id": id_, "bbox": [1, 1, 9, 9]}
        for id_, _ in enumerate(file_names)
    ]
    categories = [{"id": id_, "name": f"of {name}"} for id_, name in enumerate(file_names)]
    return json.dumps({"images": images, "categories": categories, "annotations": boxes}).encode()


@pytest.mark.parametrize(
    ("picture", "text"),
    [
        ("images/{}/a.jpg", "labels/{}/a.txt"),
        ("{}/images/a.jpg", "{}/labels/a.txt"),
        ("set/{}/Images/a.jpg", "set/{}/Labels/a.txt"),
        ("obj_{}_data/a.jpg", "obj_{}_data/a.txt"),
    ],
    ids=["labels", "split", "deep", "beside"],
)
def test_yolo_goes_by_folders(picture: str, text: str) -> None:
    found = labels_by_picture(
        NAMES,
        (picture.format("train"), JPEG),
        (picture.format("valid"), JPEG),
        (text.format("valid"), ON_THE_RIGHT),
        (text.format("train"), ON_THE_LEFT),
    )
    assert found == {picture.format("train"): ["left"], picture.format("valid"): ["right"]}


def test_a_label_of_a_missing_picture_does_not_go_to_one_of_another_folder() -> None:
    found = read(
        [
            NAMES,
            ("train/images/b.jpg", JPEG),
            ("train/labels/b.txt", ON_THE_LEFT),
            ("train/labels/a.txt", ON_THE_LEFT),
            ("valid/images/a.jpg", JPEG),
        ]
    )
    assert {p.file_name: p.boxes is None for p in found.pictures} == {
        "train/images/b.jpg": False,
        "valid/images/a.jpg": True,
    }
    assert found.notes == ["Text files of pictures that are not in the archive: 1."]


def test_a_name_without_its_folders_is_enough_where_folders_say_nothing() -> None:
    found = labels_by_picture(NAMES, ("photos/a.jpg", JPEG), ("told/a.txt", ON_THE_LEFT))
    assert found == {"photos/a.jpg": ["left"]}


@pytest.mark.parametrize(
    "files",
    [
        [("x/a.jpg", JPEG), ("y/a.jpg", JPEG), ("told/a.txt", ON_THE_LEFT)],
        [("images/a.jpg", JPEG), ("images/a.png", JPEG), ("labels/a.txt", ON_THE_LEFT)],
        [("a.jpg", JPEG), ("one/a.txt", ON_THE_LEFT), ("two/a.txt", ON_THE_RIGHT)],
    ],
    ids=["two folders", "two suffixes", "two texts"],
)
def test_what_may_be_of_either_is_refused(files: list[tuple[str, bytes]]) -> None:
    with pytest.raises(BadSet, match="may be of"):
        read([NAMES, *files])


def test_voc_goes_by_folders_and_takes_masks_for_no_pictures() -> None:
    def xml(label: str) -> bytes:
        edges = "<xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax>"
        thing = f"<object><name>{label}</name><bndbox>{edges}</bndbox></object>"
        size = "<size><width>64</width><height>48</height></size>"
        return f"<annotation>{size}{thing}</annotation>".encode()

    found = read(
        [
            ("south/JPEGImages/a.jpg", JPEG),
            ("north/JPEGImages/a.jpg", JPEG),
            ("north/Annotations/a.xml", xml("north")),
            ("south/Annotations/a.xml", xml("south")),
            ("south/SegmentationClass/a.png", JPEG),
        ]
    )
    assert {p.file_name: [b.label for b in p.boxes or ()] for p in found.pictures} == {
        "south/JPEGImages/a.jpg": ["south"],
        "north/JPEGImages/a.jpg": ["north"],
    }
    assert found.notes == ["Masks were left out, their boxes came in: 1."]


def test_a_set_of_masks_alone_is_refused() -> None:
    with pytest.raises(BadSet, match="no picture is in it but masks"):
        read([("SegmentationClass/a.png", JPEG), ("Annotations/a.xml", b"<annotation/>")])


@pytest.mark.parametrize(
    ("document", "told", "pictures"),
    [
        ("set.json", ("north/a.jpg", "a.jpg"), ("images/north/a.jpg", "images/a.jpg")),
        ("valid/_annotations.json", ("a.jpg",), ("valid/a.jpg", "train/a.jpg")),
        ("annotations/instances_val.json", ("a.jpg",), ("images/val/a.jpg", "images/train/a.jpg")),
        ("coco/annotations/instances_val.json", ("a.jpg",), ("coco/val/a.jpg", "coco/a.jpg")),
        ("set.json", ("old/disk/a.jpg",), ("images/a.jpg", "images/b.jpg")),
        ("set.json", ("north/a.jpg",), ("all/north/a.jpg", "all/south/a.jpg")),
    ],
    ids=["path", "document's folder", "subset", "subset beside", "elsewhere", "end of the path"],
)
def test_documents_name_pictures_by_path(
    document: str, told: tuple[str, ...], pictures: tuple[str, ...]
) -> None:
    found = labels_by_picture((document, coco(*told)), *((name, JPEG) for name in pictures))
    assert found == {
        place: [f"of {told[index]}"] if index < len(told) else None
        for index, place in enumerate(pictures)
    }


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (("a.jpg",), "set.json speaks of “a.jpg”, which may be x/a.jpg or y/a.jpg"),
        (("z.jpg",), "set.json speaks of “z.jpg”, which is not in the archive"),
        (("x/a.jpg", "./x/a.jpg"), "set.json speaks of x/a.jpg twice"),
    ],
)
def test_a_name_that_may_be_several_pictures_is_refused(told: tuple[str, ...], words: str) -> None:
    with pytest.raises(BadSet, match=words):
        read([("set.json", coco(*told)), ("x/a.jpg", JPEG), ("y/a.jpg", JPEG)])


def test_two_documents_that_say_the_same_are_one_and_others_are_refused() -> None:
    one = coco("a.jpg")
    assert labels_by_picture(("1.json", one), ("2.json", one), ("a.jpg", JPEG)) == {
        "a.jpg": ["of a.jpg"]
    }
    other = one.replace(b"[1, 1, 9, 9]", b"[1, 1, 9, 8]")
    with pytest.raises(BadSet, match=r"two files say of a\.jpg"):
        read([("1.json", one), ("2.json", other), ("a.jpg", JPEG)])


def test_a_note_in_json_does_not_hide_that_a_set_is_yolo() -> None:
    found = labels_by_picture(
        ("classes.txt", b"left\nright\n"),
        ("notes.json", b'{"categories": []}'),
        ("images/a.jpg", JPEG),
        ("labels/a.txt", ON_THE_RIGHT),
    )
    assert found == {"images/a.jpg": ["right"]}


def test_a_list_of_names_does_not_hide_that_a_set_is_coco() -> None:
    found = labels_by_picture(
        ("classes.txt", b"left\nright\n"), ("set.json", coco("a.jpg")), ("a.jpg", JPEG)
    )
    assert found == {"a.jpg": ["of a.jpg"]}
