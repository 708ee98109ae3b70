"""Archives that somebody made to do harm, each with what its refusal must say."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Final

from tests.factories import JPEG


def with_entry(name: str, content: bytes = JPEG, **attributes: int) -> bytes:
    info = zipfile.ZipInfo(name)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return _made((info, content))


def _made(*entries: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in entries:
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def renamed(archive: bytes, name: bytes, to: bytes) -> bytes:
    """A name that Python's own writer would not write, in both of its places."""
    assert len(name) == len(to)
    return archive.replace(name, to)


def bomb() -> bytes:
    return _made(("a.jpg", b"\0" * 20_000_000))


def lying_bomb() -> bytes:
    """It says that it is small, and is not."""
    archive = bytearray(_made(("a.jpg", b"\0" * 5_000_000)))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = archive.index(signature) + offset
        archive[at : at + 4] = struct.pack("<I", 1000)
    return bytes(archive)


def with_flag(archive: bytes, bit: int) -> bytes:
    changed = bytearray(archive)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = changed.index(signature) + offset
        changed[at] |= bit
    return bytes(changed)


def twice() -> bytes:
    return renamed(_made(("a.jpg", JPEG), ("b.jpg", JPEG)), b"b.jpg", b"a.jpg")


def overlapping() -> bytes:
    """Two names for the same bytes, as archives do that grow without limit."""
    one = _made(("a.jpg", JPEG))
    at, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    entry = one[at:end]
    both = entry + entry.replace(b"a.jpg", b"b.jpg")
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 2, 2, len(both), at, 0)
    return one[:at] + both + tail


def many_entries() -> bytes:
    entry = struct.pack(
        "<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0
    )  # fmt: skip
    listed = (entry + b"a") * 60_000
    return listed + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 60_000, 60_000, len(listed), 0, 0)


def said_to_be_few() -> bytes:
    """A million entries that the end of the archive calls one."""
    listed = b"\0" * (47 * 1_000_000)
    return listed + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(listed), 0, 0)


def with_second_end() -> bytes:
    """A ZIP64 end before the plain one, which readers believe more."""
    archive = _made(("a.jpg", JPEG))
    at = archive.rindex(b"PK\x05\x06")
    return archive[:at] + struct.pack("<4sIQI", b"PK\x06\x07", 0, 0, 1) + archive[at:]


def damaged() -> bytes:
    archive = bytearray(_made(("a.jpg", JPEG + zlib.compress(JPEG) * 40)))
    archive[60:90] = bytes(30)
    return bytes(archive)


def with_voc(xml: str) -> bytes:
    return _made(("JPEGImages/a.jpg", JPEG), ("Annotations/a.xml", xml.encode()))


def with_coco(document: str) -> bytes:
    return _made(("images/a.jpg", JPEG), ("annotations.json", document.encode()))


LAUGHS: Final = '<!DOCTYPE a [<!ENTITY b "ha">]><annotation><folder>&b;</folder></annotation>'
DEEP: Final = '{"images": ' + "[" * 40_000

HOSTILE: Final[list[tuple[str, Callable[[], bytes], str]]] = [
    ("no zip at all", lambda: b"Rar!\x1a\x07\0" * 100, "not a zip"),
    ("nothing", lambda: b"", "not a zip"),
    ("cut short", lambda: with_entry("a.jpg")[:-30], "not a zip"),
    ("climbs out", lambda: with_entry("../../etc/cron.d/a.jpg"), "out of the archive"),
    ("absolute", lambda: with_entry("/etc/passwd.jpg"), "outside the archive"),
    (
        "of a drive",
        lambda: renamed(with_entry("C_/temp/a.jpg"), b"C_/temp", b"C:/temp"),
        "outside the archive",
    ),
    (
        "with backslashes",
        lambda: renamed(with_entry(".._.._a.jpg"), b".._.._a.jpg", b"..\\..\\a.jpg"),
        "outside the archive",
    ),
    (
        "a stream of a file",
        lambda: renamed(with_entry("a.jpg_x.jpg"), b"a.jpg_x.jpg", b"a.jpg:x.jpg"),
        "outside the archive",
    ),
    (
        "a name with a control character",
        lambda: renamed(with_entry("a_.jpg"), b"a_.jpg", b"a\x07.jpg"),
        "name that no file",
    ),
    ("a name without end", lambda: with_entry("a" * 5000 + ".jpg"), "name that no file"),
    ("a link", lambda: with_entry("a.jpg", b"/etc/passwd", external_attr=0o120777 << 16), "a link"),
    ("a device", lambda: with_entry("a.jpg", b"", external_attr=0o020666 << 16), "a device"),
    ("encrypted", lambda: with_flag(with_entry("a.jpg"), 1), "encrypted"),
    ("a bomb", bomb, "grow more than 100 times"),
    ("a bomb that lies", lying_bomb, "damaged"),
    ("an archive in it", lambda: with_entry("42.zip", with_entry("a.jpg")), "within the archive"),
    ("one name twice", twice, "twice"),
    ("entries that overlap", overlapping, "shares its bytes"),
    ("too many entries", many_entries, "more than 50000 entries"),
    ("a list too long", said_to_be_few, "more than 50000 entries"),
    ("a second end", with_second_end, "ZIP64"),
    ("damaged", damaged, "damaged"),
    ("no picture", lambda: with_entry("a.txt", b"hello"), "no picture"),
    ("no JSON", lambda: with_coco("{"), "is not COCO"),
    ("JSON without end", lambda: with_coco(DEEP), "is not COCO"),
    (
        "a set of other pictures",
        lambda: with_coco(
            '{"images": [{"id": 1, "file_name": "../b.jpg", "width": 9, "height": 9}],'
            ' "categories": [], "annotations": []}'
        ),
        "not in the archive",
    ),
    ("XML with words of its own", lambda: with_voc(LAUGHS), "DOCTYPE"),
]
