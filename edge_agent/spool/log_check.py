"""Whether a write-ahead log is damaged in its middle, which SQLite takes for its early end.

After a kill the last pages of a log may be half written, and SQLite leaves them out: nothing that
was committed is among them. A damaged page with committed ones of the same log behind it is
something else: these were on disk, and would vanish without a word.
The form is that of https://sqlite.org/fileformat2.html#the_write_ahead_log.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_HEADER: Final = struct.Struct(">8I")
_FRAME: Final = struct.Struct(">6I")
_MAGICS: Final = {0x377F0682: "<", 0x377F0683: ">"}
"""The second says that checksums are of big-endian numbers."""
_MASK: Final = 0xFFFFFFFF
_MAX_BYTES: Final = 256 * 1024 * 1024


def is_damaged_inside(log: Path) -> bool:
    """Return whether committed pages lie behind a damaged one; False without a log to look at."""
    try:
        content = log.read_bytes() if log.stat().st_size <= _MAX_BYTES else b""
    except OSError:
        return False
    if len(content) < _HEADER.size:
        return False
    magic, _, page, _, *rest = _HEADER.unpack_from(content)
    salts, first = (rest[0], rest[1]), (rest[2], rest[3])
    order = _MAGICS.get(magic)
    if order is None or _sums(content[:24], order, (0, 0)) != first:
        # Its header is damaged, and SQLite leaves out all of it: was anything committed in it?
        return len(content) >= _HEADER.size + _FRAME.size
    was_broken = False
    for is_whole in _frames(content, page, order, salts, first):
        if is_whole and was_broken:
            return True
        was_broken = was_broken or not is_whole
    return False


def _frames(
    content: bytes, page: int, order: str, salts: tuple[int, int], sums: tuple[int, int]
) -> Iterator[bool]:
    """Yield of every frame whether it belongs to this log, and fits the sums of the one before.

    Frames of the log that this one was written over have other salts.
    """
    step = _FRAME.size + page
    for start in range(_HEADER.size, len(content) - step + 1, step):
        _, _, *own_salts, said_1, said_2 = _FRAME.unpack_from(content, start)
        head, body = content[start : start + 8], content[start + _FRAME.size : start + step]
        found = _sums(body, order, _sums(head, order, sums))
        sums = (said_1, said_2)
        yield tuple(own_salts) == salts and found == sums


def _sums(data: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    """Return the running checksums after these bytes, a multiple of eight."""
    first, second = sums
    numbers = struct.unpack(f"{order}{len(data) // 4}I", data)
    for index in range(0, len(numbers), 2):
        first = (first + numbers[index] + second) & _MASK
        second = (second + numbers[index + 1] + first) & _MASK
    return first, second
