"""Numbers for tracks: 32 bits on the wire, 0 means untracked."""

import secrets
from collections.abc import Iterator
from typing import Final

_N_IDS: Final = 2**32


def track_ids(start: int | None = None) -> Iterator[int]:
    """Yield 1..2**32-1 round and round, from `start` or from anywhere.

    Anywhere, so that a program that was started again does not give its new tracks the numbers
    of its old ones. Not safe to advance from several threads at once.
    """
    number = secrets.randbelow(_N_IDS) if start is None else start % _N_IDS
    while True:
        if number:
            yield number
        number = (number + 1) % _N_IDS
