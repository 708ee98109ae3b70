"""All formats of labelled sets in one place: which there are, and which one an archive is."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from processing.exchange.archive import Archive
from processing.exchange.coco_import import read_coco_set
from processing.exchange.datumaro import read_datumaro, write_datumaro
from processing.exchange.labelled import BadSet, ReadPicture, ReadSet
from processing.exchange.voc import is_voc, read_voc, write_voc
from processing.exchange.yolo import is_yolo, read_yolo, write_yolo
from processing.wire.limits import MAX_DETECTIONS, MAX_NAME

MAX_ANNOTATIONS: Final = 128 * 1024 * 1024
"""Of a JSON file."""
MAX_TEXT: Final = 1024 * 1024
"""Of a text or XML file of one picture."""
PICTURE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png"})

Writer = Callable[..., Iterator[tuple[str, bytes]]]
WRITERS: Final[Mapping[str, Writer]] = {
    "yolo": write_yolo,
    "voc": write_voc,
    "datumaro": write_datumaro,
}
"""Each yields files by name. COCO is one file: see `processing.exchange.coco_export`."""
PICTURE_FOLDERS: Final[Mapping[str, str]] = {
    "coco": "images",
    "yolo": "images",
    "voc": "JPEGImages",
    "datumaro": "images/default",
}
"""Where each format looks for pictures."""


def read_archive(archive: Archive) -> ReadSet:
    """Return what is in an archive: a labelled set, or pictures that nobody has labelled yet.

    Every picture is one that is in the archive, under the name it has there. Raise `BadSet` or
    `BadArchive`.
    """
    found = _read(archive)
    for label in {*found.labels, *(name for picture in found.pictures for name in picture.classes)}:
        if not 0 < len(label) <= MAX_NAME or not label.isprintable():
            raise BadSet(f"a class has no name that can be kept: {json.dumps(label[:80])}")
    for picture in found.pictures:
        if picture.boxes and len(picture.boxes) > MAX_DETECTIONS:
            raise BadSet(f"{picture.file_name} has more than {MAX_DETECTIONS} boxes")
    return found


def _read(archive: Archive) -> ReadSet:
    names = [name for name in archive.files if not _is_litter(name)]
    pictures = [name for name in names if _suffix(name) in PICTURE_SUFFIXES]
    if not pictures:
        raise BadSet("no picture (.jpg or .png) is in it")
    files = {name: archive.reader(name, most=MAX_TEXT) for name in names}
    documents = [name for name in names if name.endswith(".json")]
    if documents:
        read = [_read_json(archive.read(name, most=MAX_ANNOTATIONS), name) for name in documents]
        return _merged([_found_in(each, pictures) for each in read], pictures)
    if is_yolo(names):
        return read_yolo(files, pictures)
    if is_voc(names):
        return read_voc(files, pictures)
    return ReadSet("pictures", [], [ReadPicture(file_name=name) for name in pictures])


def _read_json(content: bytes, file: str) -> ReadSet:
    is_datumaro = b'"items"' in content and b'"images"' not in content
    return read_datumaro(content, file) if is_datumaro else read_coco_set(content, file)


def _found_in(read: ReadSet, pictures: Sequence[str]) -> ReadSet:
    """Name each picture of a set as the archive does, in whichever folder it is; raise `BadSet`."""
    by_path = {name: name for name in pictures}
    by_name: dict[str, str] = {}
    for name in pictures:
        # A name that is in two folders says nothing about which of them is meant.
        own = PurePosixPath(name).name
        by_name[own] = "" if own in by_name else name
    found = []
    for picture in read.pictures:
        told = picture.file_name
        place = by_path.get(told) or by_name.get(PurePosixPath(told).name)
        if not place:
            raise BadSet(f"the set speaks of {json.dumps(told[:80])}, which is not in the archive")
        found.append(
            ReadPicture(
                file_name=place,
                width=picture.width,
                height=picture.height,
                boxes=picture.boxes,
                classes=picture.classes,
            )
        )
    return ReadSet(read.format, read.labels, found)


def _merged(sets: Sequence[ReadSet], pictures: Sequence[str]) -> ReadSet:
    """Return several files (training and validation, say) and what no file speaks of as one set."""
    labels = list(dict.fromkeys(label for each in sets for label in each.labels))
    found = {picture.file_name: picture for each in sets for picture in each.pictures}
    rest: Iterable[str] = (name for name in pictures if name not in found)
    unlabelled = [ReadPicture(file_name=name) for name in rest]
    return ReadSet(sets[0].format, labels, [*found.values(), *unlabelled])


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _is_litter(name: str) -> bool:
    """Return whether a file is what some computers leave in archives."""
    path = PurePosixPath(name)
    return path.parts[0] == "__MACOSX" or path.name.startswith(".")
