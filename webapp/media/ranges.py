"""Which bytes of a file a browser asks for (RFC 9110, section 14): one range, or the whole."""

import re
from dataclasses import dataclass
from typing import Final

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class Unsatisfiable(Exception):
    """The file has no such bytes."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some consecutive bytes of a file, at least one."""

    first: int
    last: int
    """The last one is in it."""

    @property
    def size(self) -> int:
        return self.last - self.first + 1


def piece_asked(header: str, *, size: int, most: int) -> Piece | None:
    """Return the piece to send of a file of `size` bytes, or None for the whole.

    What is not one range of bytes is ignored, as the RFC has it. At most `most` bytes are given: a
    player asks for what follows when it needs it. Raise `Unsatisfiable`.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:  # the last so many
        begin, end = max(size - int(last), 0), size - 1
        if not int(last):
            raise Unsatisfiable
    else:
        begin, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < int(first):
            return None
    if begin >= size:
        raise Unsatisfiable
    return Piece(begin, min(end, begin + most - 1))
