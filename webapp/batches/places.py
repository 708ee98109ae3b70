"""Reading a batch's pictures where they lie: in the archive that was sent, or in the store.

Nothing is decoded here. What an archive holds was judged when the list was made
(`processing.exchange.archive`), which kept where each entry begins: reading one costs what it is
long, however many there are.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final, NamedTuple

from django.core.files.storage import default_storage

from processing.wire.batch import BatchItem
from webapp.batches.models import Batch

MAX_PICTURE_BYTES: Final = 32 * 1024 * 1024
WHOLE: Final = "whole"
"""The place of the one picture that was sent without an archive."""
_HEAD: Final = struct.Struct("<4s22xHH")
"""Of an entry, where it lies: its mark, and how long its name and its extra field are."""
_MARK: Final = b"PK\x03\x04"
_STORED: Final = 0


class PictureGone(Exception):
    """The picture is not where it was, or not what it was; the text is for whoever asked."""


class Entry(NamedTuple):
    """Where a picture lies in an archive."""

    offset: int
    """Of its own head."""
    n_packed: int
    method: int
    """Of compression: 0 is none, else deflate."""
    crc: int

    @classmethod
    def parse(cls, place: str) -> "Entry":
        return cls(*(int(part) for part in place.split(":")))

    def __str__(self) -> str:
        return ":".join(map(str, self))


class Places:
    """Reads the pictures of one batch, one after the other."""

    def __init__(self, sent: IO[bytes] | None) -> None:
        """Use `opened_places`. `sent` is the file of an upload."""
        self._sent = sent

    def read(self, item: BatchItem) -> bytes:
        """Return a picture's bytes; raise `PictureGone`."""
        try:
            if self._sent is not None:
                content = _read_sent(self._sent, item)
            else:
                with default_storage.open(item.place, "rb") as file:
                    content = file.read(item.size + 1)
        except OSError as error:
            raise PictureGone("It is not there any more.") from error
        if len(content) != item.size:
            raise PictureGone("It is not what it was when the batch began.")
        return content


@contextmanager
def opened_places(batch: Batch) -> Iterator[Places]:
    """Give what reads the batch's pictures; raise `PictureGone` if what was sent is not there."""
    if batch.source != Batch.Source.UPLOAD:
        yield Places(None)
        return
    if batch.file is None:
        raise PictureGone("What was sent is not there any more.")
    try:
        sent = default_storage.open(batch.file.path, "rb")
    except OSError as error:
        raise PictureGone("What was sent is not there any more.") from error
    with sent:
        yield Places(sent)


def _read_sent(sent: IO[bytes], item: BatchItem) -> bytes:
    if item.place == WHOLE:
        sent.seek(0)
        return sent.read(item.size + 1)
    entry = Entry.parse(item.place)
    sent.seek(entry.offset)
    head = sent.read(_HEAD.size)
    if len(head) != _HEAD.size or not head.startswith(_MARK):
        raise PictureGone("What was sent is damaged.")
    _, n_name, n_extra = _HEAD.unpack(head)
    sent.seek(n_name + n_extra, 1)
    packed = sent.read(min(entry.n_packed, MAX_PICTURE_BYTES))
    try:
        content = packed if entry.method == _STORED else _inflated(packed, item.size)
    except zlib.error as error:
        raise PictureGone("What was sent is damaged.") from error
    if zlib.crc32(content) != entry.crc:
        raise PictureGone("It is not what the archive says: it came damaged.")
    return content


def _inflated(packed: bytes, size: int) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, size + 1)
