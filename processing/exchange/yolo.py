"""YOLO's folders: `data.yaml` names the classes, a text file a picture has its boxes.

A line is class number, centre, width and height, normalised; in the other dialect it is class
number and the corners of an outline. Neither knows classes of a whole picture.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Final

import yaml

from processing.exchange.labelled import (
    BadSet,
    LabelledBox,
    LabelledPicture,
    Polygon,
    ReadPicture,
    ReadSet,
    name_within,
    normalised,
    not_too_many,
    told,
)
from processing.exchange.outlines import corners, outlined
from processing.exchange.pairing import n_stray, paired

PICTURES: Final = "images"
_NAMES: Final = ("obj.names", "classes.txt")
_MAX_NAMES: Final = 10_000
_BOX: Final = 4
"""Numbers of a box; there are more of an outline."""
_SLACK: Final = 0.01
"""How far a number may lie beyond 0 and 1: other tools round."""


class _PlainLoader(yaml.SafeLoader):
    """YAML without references: a few that name one another grow without limit."""

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("references (*) are not read")
        return super().compose_node(parent, index)  # type: ignore[arg-type]  # the stubs want an int


def write_yolo(
    pictures: Iterable[LabelledPicture], *, labels: Sequence[str], with_outlines: bool = False
) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a set, but for its pictures; raise `KeyError` for an unknown label.

    Readers take a set as all boxes or all outlines, so a box without one becomes its corners.
    """
    number_of = {name: number for number, name in enumerate(labels)}
    wanted = {"path": ".", "train": PICTURES, "val": PICTURES, "names": dict(enumerate(labels))}
    yield "data.yaml", yaml.safe_dump(wanted, allow_unicode=True, sort_keys=False).encode()
    told_as = _outline if with_outlines else _centre_and_size
    for picture in pictures:
        lines = [f"{number_of[box.label]} {told_as(box)}\n" for box in picture.boxes]
        name = name_within(PICTURES, picture.file_name).with_suffix(".txt")
        yield f"labels/{name}", "".join(lines).encode()


write_yolo_outlines = partial(write_yolo, with_outlines=True)


def read_yolo(files: Mapping[str, Callable[[], bytes]], pictures: Collection[str]) -> ReadSet:
    """Return the set, in either dialect; a picture without a text file nobody has labelled.

    `files` are the archive's, each with how to read it. Raise `BadSet`.
    """
    labels = _labels(files)
    texts = _texts(files)
    text_of = paired(pictures, texts)
    lost: Counter[str] = Counter()
    if n_left := n_stray(texts, text_of):
        lost["Text files of pictures that are not in the archive"] = n_left
    found = []
    for name in pictures:
        text = text_of.get(name)
        boxes = None if text is None else not_too_many(_boxes(files[text](), labels, text, lost))
        found.append(ReadPicture(file_name=name, boxes=boxes))
    return ReadSet("YOLO", labels, found, told(lost))


def is_yolo(names: Collection[str], pictures: Collection[str]) -> bool:
    """Return whether an archive with these files is a YOLO set: somebody names its classes.

    A list of names beside a JSON file is one of YOLO only if texts speak of pictures.
    """
    if not any(PurePosixPath(name).name in ("data.yaml", *_NAMES) for name in names):
        return False
    has_json = any(name.endswith(".json") for name in names)
    return not has_json or bool(paired(pictures, _texts(names)))


def _texts(names: Iterable[str]) -> list[str]:
    return [
        name for name in names if name.endswith(".txt") and PurePosixPath(name).name not in _NAMES
    ]


def _centre_and_size(box: LabelledBox) -> str:
    x0, y0, x1, y1 = box.xyxy
    return f"{(x0 + x1) / 2:.7f} {(y0 + y1) / 2:.7f} {x1 - x0:.6f} {y1 - y0:.6f}"


def _outline(box: LabelledBox) -> str:
    polygon: Polygon = box.polygon or corners(box.xyxy)
    return " ".join(f"{x:.6f} {y:.6f}" for x, y in polygon)


def _labels(files: Mapping[str, Callable[[], bytes]]) -> list[str]:
    name = min(
        (name for name in files if PurePosixPath(name).name in ("data.yaml", *_NAMES)),
        key=lambda name: (not name.endswith(".yaml"), name),
    )
    text = _text(files[name](), name)
    if not name.endswith(".yaml"):
        return [line.strip() for line in text.splitlines() if line.strip()]
    try:
        found = yaml.load(text, _PlainLoader)  # noqa: S506 - a safe one
    except (yaml.YAMLError, RecursionError, ValueError, LookupError, AttributeError) as error:
        raise BadSet(f"{name} is not YAML that we read") from error
    fields = found if isinstance(found, dict) else {}
    if "kpt_shape" in fields:
        raise BadSet(f"{name} is of a set of keypoints (kpt_shape), which are not read")
    names = fields.get("names")
    if isinstance(names, dict) and all(number in names for number in range(len(names))):
        names = [names[number] for number in range(len(names))]
    is_list = isinstance(names, list) and all(isinstance(each, str) for each in names)
    if not isinstance(names, list) or not is_list or len(names) > _MAX_NAMES:
        raise BadSet(f"{name} has no list of class names under “names”, numbered from 0")
    return names


def _boxes(
    content: bytes, labels: Sequence[str], file: str, lost: Counter[str]
) -> Iterator[LabelledBox]:
    for number, line in enumerate(_text(content, file).splitlines(), 1):
        if fields := line.split():
            try:
                yield _box(fields, labels, lost)
            except ValueError as error:
                raise BadSet(f"{file}, line {number}: {error}") from error


def _box(fields: Sequence[str], labels: Sequence[str], lost: Counter[str]) -> LabelledBox:
    label, numbers = int(fields[0]), [float(field) for field in fields[1:]]
    if not 0 <= label < len(labels):
        raise ValueError(f"no class has the number {label}")
    if len(numbers) < _BOX:
        raise ValueError("not a box, which is a class and four numbers, nor an outline")
    if len(numbers) % 2:
        numbers.pop()
        lost["How sure a model was is not kept"] += 1
    beyond = [number for number in numbers if not -_SLACK <= number <= 1 + _SLACK]
    if beyond:
        raise ValueError(f"{beyond[0]:g} is no share of a picture, which is from 0 to 1")
    if len(numbers) > _BOX:
        found = outlined(numbers, labels[label], width=1, height=1, lost=lost)
        is_box = len(found.polygon) == _BOX and {*found.polygon} == {*corners(found.xyxy)}
        return LabelledBox(found.xyxy, found.label) if is_box else found
    x, y, width, height = numbers
    half_width, half_height = width / 2, height / 2
    edges = (x - half_width, y - half_height, x + half_width, y + half_height)
    return LabelledBox(normalised(edges, 1, 1), labels[label])


def _text(content: bytes, file: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise BadSet(f"{file} is not text") from error
