"""Pascal VOC's folders: an XML file a picture has its boxes, in pixels, classes by name.

Outlines are an addition that some tools write and the others skip. Classes of a whole picture it
does not know: its lists of pictures by class say what is somewhere in them.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final
from xml.etree import ElementTree as ET

from processing.exchange.labelled import (
    MAX_SIDE,
    BadSet,
    LabelledBox,
    LabelledPicture,
    ReadPicture,
    ReadSet,
    in_pixels,
    name_within,
    normalised,
    not_too_many,
    told,
)
from processing.exchange.outlines import outline_in_pixels, with_outline
from processing.exchange.pairing import n_stray, paired

PICTURES: Final = "JPEGImages"
_LABELS: Final = "labelmap.txt"
"""Lines of name, colour, parts and actions, between colons."""
_PLAIN_LABELS: Final = "labels.txt"
"""Lines of names: what others write."""
_MASKS: Final = frozenset({"segmentationclass", "segmentationobject"})
_EDGES: Final = ("xmin", "ymin", "xmax", "ymax")


def write_voc(
    pictures: Iterable[LabelledPicture], *, labels: Sequence[str]
) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a set, but for its pictures. `labelmap.txt` has the classes in order."""
    yield _LABELS, "".join(f"{name}:::\n" for name in labels).encode()
    listed = []
    for picture in pictures:
        name = name_within(PICTURES, picture.file_name)
        listed.append(f"{name.with_suffix('')}\n")
        annotation = ET.tostring(_annotation(picture, str(name)))
        yield f"Annotations/{name.with_suffix('.xml')}", annotation
    yield "ImageSets/Main/default.txt", "".join(listed).encode()


def read_voc(files: Mapping[str, Callable[[], bytes]], pictures: Collection[str]) -> ReadSet:
    """Return the set; a picture without an XML file is one that nobody has labelled.

    `files` are the archive's, each with how to read it. Raise `BadSet`.
    """
    labels = dict.fromkeys(_labels(files))
    masks = {name for name in pictures if _is_mask(name)}
    texts = [name for name in files if name.endswith(".xml")]
    shown = [name for name in pictures if name not in masks]
    if not shown:
        raise BadSet("no picture is in it but masks")
    text_of = paired(shown, texts)
    lost: Counter[str] = Counter()
    if masks:
        lost["Masks were left out, their boxes came in"] = len(masks)
    if n_left := n_stray(texts, text_of):
        lost["XML files of pictures that are not in the archive"] = n_left
    found = []
    for name in shown:
        text = text_of.get(name)
        read = (
            ReadPicture(file_name=name) if text is None else _read(files[text](), text, name, lost)
        )
        labels.update(dict.fromkeys(box.label for box in read.boxes or ()))
        found.append(read)
    return ReadSet("Pascal VOC", list(labels), found, told(lost))


def is_voc(names: Iterable[str]) -> bool:
    """Return whether an archive with these files is a VOC set."""
    return any(name.endswith(".xml") for name in names)


def _labels(files: Mapping[str, Callable[[], bytes]]) -> Iterator[str]:
    for wanted in (_LABELS, _PLAIN_LABELS):
        for file in (name for name in files if PurePosixPath(name).name == wanted):
            for line in files[file]().decode(errors="replace").splitlines():
                name = line.rsplit(":", 3)[0].strip() if wanted == _LABELS else line.strip()
                if name and not name.startswith("# label"):
                    yield name
            return


def _is_mask(name: str) -> bool:
    return any(part.lower() in _MASKS for part in PurePosixPath(name).parts[:-1])


def _annotation(picture: LabelledPicture, file_name: str) -> ET.Element:
    root = ET.Element("annotation")
    ET.SubElement(root, "folder").text = PICTURES
    ET.SubElement(root, "filename").text = file_name
    size = ET.SubElement(root, "size")
    for name, value in (("width", picture.width), ("height", picture.height), ("depth", 3)):
        ET.SubElement(size, name).text = str(value)
    ET.SubElement(root, "segmented").text = "0"
    for box in picture.boxes:
        _add(root, box, picture.width, picture.height)
    return root


def _add(root: ET.Element, box: LabelledBox, width: int, height: int) -> None:
    thing = ET.SubElement(root, "object")
    ET.SubElement(thing, "name").text = box.label
    for name in ("truncated", "difficult"):
        ET.SubElement(thing, name).text = "0"
    x, y, wide, high = in_pixels(box.xyxy, width, height)
    place = ET.SubElement(thing, "bndbox")
    for name, edge in zip(_EDGES, (x, y, x + wide, y + high), strict=True):
        ET.SubElement(place, name).text = f"{edge:.6f}"
    if box.polygon:
        outline = ET.SubElement(thing, "polygon")
        for index, value in enumerate(outline_in_pixels(box.polygon, width, height)):
            ET.SubElement(outline, f"{'xy'[index % 2]}{index // 2 + 1}").text = f"{value:.6f}"


def _read(content: bytes, file: str, picture: str, lost: Counter[str]) -> ReadPicture:
    try:
        root = _root(content)
        width, height = _side(root, "width"), _side(root, "height")
        boxes = not_too_many(_box(thing, width, height, lost) for thing in root.iterfind("object"))
    except (ET.ParseError, ValueError) as error:
        raise BadSet(f"{file} is not a VOC annotation: {error}") from error
    return ReadPicture(file_name=picture, width=width, height=height, boxes=boxes)


def _root(content: bytes) -> ET.Element:
    text = content.decode("utf-8-sig")  # in another encoding the next line would miss it
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("it defines words of its own (DOCTYPE)")
    return ET.fromstring(text)  # noqa: S314 - nothing is defined in it


def _side(root: ET.Element, name: str) -> int:
    side = _number(root, f"size/{name}")
    if not 1 <= side <= MAX_SIDE or side != int(side):
        raise ValueError(f"size/{name} is {side:g}, and not 1 to {MAX_SIDE}")
    return int(side)


def _box(thing: ET.Element, width: int, height: int, lost: Counter[str]) -> LabelledBox:
    x0, y0, x1, y1 = (_number(thing, f"bndbox/{edge}") for edge in _EDGES)
    box = LabelledBox(normalised((x0, y0, x1, y1), width, height), _word(thing, "name"))
    numbers = list(_outline(thing))
    return with_outline(box, numbers, width=width, height=height, lost=lost) if numbers else box


def _outline(thing: ET.Element) -> Iterator[float]:
    """Yield an outline's numbers: `x1`, `y1`, `x2`, ... or points of an `x` and a `y`."""
    for point in thing.iterfind("polygon/pt"):
        yield from (_number(point, "x"), _number(point, "y"))
    texts = {each.tag: each.text for each in thing.iterfind("polygon/*") if each.tag != "pt"}
    for index in range(1, (len(texts) + 1) // 2 + 1):
        for name in (f"x{index}", f"y{index}"):
            yield _parsed(texts.get(name) or "", f"polygon/{name}")


def _number(element: ET.Element, path: str) -> float:
    return _parsed(_word(element, path), path)


def _parsed(word: str, path: str) -> float:
    try:
        return float(word)
    except ValueError as error:
        raise ValueError(f"{path} is no number: “{word[:40]}”") from error


def _word(element: ET.Element, path: str) -> str:
    text = (element.findtext(path) or "").strip()
    if not text:
        raise ValueError(f"no {path}")
    return text
