"""Pascal VOC's folders: an XML file a picture has its boxes, in pixels, classes by name."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET

from processing.exchange.labelled import (
    BadSet,
    LabelledBox,
    LabelledPicture,
    ReadPicture,
    ReadSet,
    in_pixels,
    normalised,
)

_EDGES = ("xmin", "ymin", "xmax", "ymax")


def write_voc(
    pictures: Iterable[LabelledPicture], *, labels: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a set, but for its pictures. `labels.txt` has the classes in order."""
    yield "labels.txt", "".join(f"{name}\n" for name in labels).encode()
    stems = []
    for picture in pictures:
        path = PurePosixPath(picture.file_name)
        stems.append(path.stem)
        yield f"Annotations/{path.stem}.xml", ET.tostring(_annotation(picture, path.name))
    yield "ImageSets/Main/default.txt", "".join(f"{stem}\n" for stem in stems).encode()


def read_voc(files: Mapping[str, Callable[[], bytes]], pictures: Sequence[str]) -> ReadSet:
    """Return the set; a picture without an XML file is one that nobody has labelled.

    `files` are the archive's, each with how to read it. Raise `BadSet`.
    """
    listed = [name for name in files if PurePosixPath(name).name == "labels.txt"]
    labels = (
        dict.fromkeys(files[listed[0]]().decode(errors="replace").split("\n")) if listed else {}
    )
    labels.pop("", None)
    annotations = {PurePosixPath(name).stem: name for name in files if name.endswith(".xml")}
    found = []
    for name in pictures:
        xml = annotations.get(PurePosixPath(name).stem)
        read = ReadPicture(file_name=name) if xml is None else _read(files[xml](), xml, name)
        labels.update(dict.fromkeys(box.label for box in read.boxes or ()))
        found.append(read)
    return ReadSet("Pascal VOC", list(labels), found)


def is_voc(names: Iterable[str]) -> bool:
    """Return whether an archive with these files is a VOC set."""
    return any(name.endswith(".xml") for name in names)


def _annotation(picture: LabelledPicture, file_name: str) -> ET.Element:
    root = ET.Element("annotation")
    ET.SubElement(root, "folder").text = "JPEGImages"
    ET.SubElement(root, "filename").text = file_name
    size = ET.SubElement(root, "size")
    for name, value in (("width", picture.width), ("height", picture.height), ("depth", 3)):
        ET.SubElement(size, name).text = str(value)
    ET.SubElement(root, "segmented").text = "0"
    for box in picture.boxes:
        thing = ET.SubElement(root, "object")
        ET.SubElement(thing, "name").text = box.label
        for name in ("truncated", "difficult"):
            ET.SubElement(thing, name).text = "0"
        x, y, width, height = in_pixels(box.xyxy, picture.width, picture.height)
        place = ET.SubElement(thing, "bndbox")
        for name, edge in zip(_EDGES, (x, y, x + width, y + height), strict=True):
            ET.SubElement(place, name).text = f"{edge:.6f}"
    return root


def _read(content: bytes, file: str, picture: str) -> ReadPicture:
    try:
        root = _root(content)
        width, height = _side(root, "width"), _side(root, "height")
        boxes = tuple(
            LabelledBox(normalised(_edges(thing), width, height), _word(thing, "name"))
            for thing in root.iterfind("object")
        )
    except (ET.ParseError, ValueError) as error:
        raise BadSet(f"{file} is not a VOC annotation: {error}") from error
    return ReadPicture(file_name=picture, width=width, height=height, boxes=boxes)


def _root(content: bytes) -> ET.Element:
    text = content.decode("utf-8-sig")  # in another encoding the next line would miss it
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("it defines words of its own (DOCTYPE)")
    return ET.fromstring(text)  # noqa: S314 - nothing is defined in it


def _side(root: ET.Element, name: str) -> int:
    side = int(_word(root, f"size/{name}"))
    if side < 1:
        raise ValueError(f"a {name} of {side}")
    return side


def _edges(thing: ET.Element) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(_word(thing, f"bndbox/{edge}")) for edge in _EDGES)
    if not math.isfinite(x0 + y0 + x1 + y1):
        raise ValueError("an edge is not a number")
    return x0, y0, x1, y1


def _word(element: ET.Element, path: str) -> str:
    text = (element.findtext(path) or "").strip()
    if not text:
        raise ValueError(f"no {path}")
    return text
