"""YOLO's folders: `data.yaml` names the classes, a text file a picture has its boxes.

A line is class number, centre, width and height, normalised. Boxes only: the format knows neither
outlines beside boxes nor classes of a whole picture.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

import yaml

from processing.exchange.labelled import (
    BadSet,
    LabelledBox,
    LabelledPicture,
    ReadPicture,
    ReadSet,
    normalised,
)

_NAMES: Final = ("obj.names", "classes.txt")
_FIELDS: Final = (5, 6)
"""A class and a box; with a sixth, how sure somebody's model was."""
_MAX_NAMES: Final = 10_000


def write_yolo(
    pictures: Iterable[LabelledPicture], *, labels: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a set, but for its pictures; raise `KeyError` for an unknown label."""
    number_of = {name: number for number, name in enumerate(labels)}
    wanted = {"path": ".", "train": "images", "val": "images", "names": dict(enumerate(labels))}
    yield "data.yaml", yaml.safe_dump(wanted, allow_unicode=True, sort_keys=False).encode()
    for picture in pictures:
        lines = [_line(number_of[box.label], box) for box in picture.boxes]
        stem = PurePosixPath(picture.file_name).stem
        yield f"labels/{stem}.txt", "".join(lines).encode()


def read_yolo(files: Mapping[str, Callable[[], bytes]], pictures: Sequence[str]) -> ReadSet:
    """Return the set; a picture without a text file is one that nobody has labelled.

    `files` are the archive's, each with how to read it. Raise `BadSet`.
    """
    labels = _labels(files)
    texts = {
        PurePosixPath(name).stem: name
        for name in files
        if name.endswith(".txt") and PurePosixPath(name).name not in _NAMES
    }
    found = []
    for name in pictures:
        text = texts.get(PurePosixPath(name).stem)
        boxes = None if text is None else tuple(_boxes(files[text](), labels, text))
        found.append(ReadPicture(file_name=name, boxes=boxes))
    return ReadSet("YOLO", labels, found)


def is_yolo(names: Iterable[str]) -> bool:
    """Return whether an archive with these files is a YOLO set."""
    return any(PurePosixPath(name).name in ("data.yaml", *_NAMES) for name in names)


def _line(number: int, box: LabelledBox) -> str:
    x0, y0, x1, y1 = box.xyxy
    centre = f"{(x0 + x1) / 2:.7f} {(y0 + y1) / 2:.7f}"
    return f"{number} {centre} {x1 - x0:.6f} {y1 - y0:.6f}\n"


def _labels(files: Mapping[str, Callable[[], bytes]]) -> list[str]:
    name = min(
        (name for name in files if PurePosixPath(name).name in ("data.yaml", *_NAMES)),
        key=lambda name: (not name.endswith(".yaml"), name),
    )
    text = _text(files[name](), name)
    if not name.endswith(".yaml"):
        return [line.strip() for line in text.splitlines() if line.strip()]
    try:
        told = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError, LookupError, AttributeError) as error:
        raise BadSet(f"{name} is not YAML") from error
    names = told.get("names") if isinstance(told, dict) else None
    if isinstance(names, dict) and all(number in names for number in range(len(names))):
        names = [names[number] for number in range(len(names))]
    is_list = isinstance(names, list) and all(isinstance(each, str) for each in names)
    if not isinstance(names, list) or not is_list or len(names) > _MAX_NAMES:
        raise BadSet(f"{name} has no list of class names under “names”, numbered from 0")
    return names


def _boxes(content: bytes, labels: Sequence[str], file: str) -> Iterator[LabelledBox]:
    for number, line in enumerate(_text(content, file).splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) not in _FIELDS:
            raise BadSet(f"{file}, line {number}: not a box, which is a class and four numbers")
        try:
            label, (x, y, width, height) = int(fields[0]), map(float, fields[1:5])
        except ValueError as error:
            raise BadSet(f"{file}, line {number}: not a class and four numbers") from error
        if not 0 <= label < len(labels) or not math.isfinite(x + y + width + height):
            raise BadSet(f"{file}, line {number}: no such class, or not a number")
        half_width, half_height = width / 2, height / 2
        edges = (x - half_width, y - half_height, x + half_width, y + half_height)
        yield LabelledBox(normalised(edges, 1, 1), labels[label])


def _text(content: bytes, file: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BadSet(f"{file} is not text") from error
