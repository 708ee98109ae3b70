"""All formats of labelled sets in one place: which there are, and which one an archive is."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

import msgspec

from processing.exchange import datumaro, voc, yolo
from processing.exchange.archive import Archive
from processing.exchange.coco_import import read_coco_set
from processing.exchange.labelled import BadSet, LabelledPicture, ReadPicture, ReadSet
from processing.exchange.pairing import Pictures
from processing.wire.limits import MAX_DETECTIONS, MAX_NAME

MAX_ANNOTATIONS: Final = 128 * 1024 * 1024
"""Of an archive's JSON files together."""
MAX_TEXT: Final = 1024 * 1024
"""Of a text or XML file of one picture."""
PICTURE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png"})

Writer = Callable[..., Iterator[tuple[str, bytes]]]
WRITERS: Final[Mapping[str, Writer]] = {
    "yolo": yolo.write_yolo,
    "yolo_seg": yolo.write_yolo_outlines,
    "voc": voc.write_voc,
    "datumaro": datumaro.write_datumaro,
}
"""Each yields files by name. COCO is one file: see `processing.exchange.coco_export`."""
PICTURE_FOLDERS: Final[Mapping[str, str]] = {
    "coco": "images",
    "yolo": yolo.PICTURES,
    "yolo_seg": yolo.PICTURES,
    "voc": voc.PICTURES,
    "datumaro": datumaro.PICTURES,
}
"""Where each format looks for pictures."""
_WITHOUT_OUTLINES: Final = frozenset({"yolo"})
_WITHOUT_CLASSES: Final = frozenset({"yolo", "yolo_seg", "voc"})


def left_out(format_: str, pictures: Sequence[LabelledPicture]) -> list[str]:
    """Say in words what of these pictures a format cannot hold."""
    n_outlines = sum(bool(box.polygon) for picture in pictures for box in picture.boxes)
    n_classes = sum(bool(picture.classes) for picture in pictures)
    notes = []
    if n_outlines and format_ in _WITHOUT_OUTLINES:
        notes.append(f"Outlines went out as their boxes: {n_outlines}.")
    if n_classes and format_ in _WITHOUT_CLASSES:
        notes.append(f"Pictures whose own classes were left out: {n_classes}.")
    return notes


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
    if yolo.is_yolo(names, pictures):
        return yolo.read_yolo(files, pictures)
    documents = [name for name in names if name.endswith(".json")]
    if sum(archive.files[name] for name in documents) > MAX_ANNOTATIONS:
        raise BadSet(f"more than {MAX_ANNOTATIONS // 1024**2} MiB of JSON")
    if documents:
        places = Pictures(pictures)
        read = [
            _found_in(_read_json(archive.read(name, most=MAX_ANNOTATIONS), name), places, name)
            for name in documents
        ]
        return _merged(read, pictures)
    if voc.is_voc(names):
        return voc.read_voc(files, pictures)
    return ReadSet("pictures", [], [ReadPicture(file_name=name) for name in pictures])


def _read_json(content: bytes, file: str) -> ReadSet:
    try:
        fields = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        fields = {}  # whose reader says what is wrong
    read = datumaro.read_datumaro if "items" in fields else read_coco_set
    return read(content, file)


def _found_in(read: ReadSet, places: Pictures, document: str) -> ReadSet:
    """Name each picture of a set as the archive does; raise `BadSet`."""
    found: dict[str, ReadPicture] = {}
    for picture in read.pictures:
        place = places.find(picture.file_name, document=document)
        if place in found:
            raise BadSet(f"{document} speaks of {place} twice")
        found[place] = msgspec.structs.replace(picture, file_name=place)
    return read._replace(pictures=list(found.values()))


def _merged(sets: Sequence[ReadSet], pictures: Sequence[str]) -> ReadSet:
    """Return several files (training and validation, say) and what no file speaks of as one set."""
    labels = list(dict.fromkeys(label for each in sets for label in each.labels))
    found: dict[str, ReadPicture] = {}
    for picture in (picture for each in sets for picture in each.pictures):
        if found.setdefault(picture.file_name, picture) != picture:
            raise BadSet(f"two files say of {picture.file_name} what is in it, and not the same")
    unlabelled = [ReadPicture(file_name=name) for name in pictures if name not in found]
    notes = list(dict.fromkeys(note for each in sets for note in each.notes))
    return ReadSet(sets[0].format, labels, [*found.values(), *unlabelled], notes)


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _is_litter(name: str) -> bool:
    """Return whether a file is what some computers leave in archives."""
    path = PurePosixPath(name)
    return path.parts[0] == "__MACOSX" or path.name.startswith(".")
