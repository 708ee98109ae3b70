"""Fragments of video on their way to a player, in order: bounded, whoever does not take them.

Who falls behind is not sent on from where it stopped. It skips to the next key picture.
"""

from collections import deque
from typing import Final, Generic, Literal, TypeVar

T = TypeVar("T")

Kind = Literal["key", "delta", "boxes"]
"""A key picture, one that needs those before it, what was found in one."""
_FEW: Final = 8
"""More than so many before a key picture are behind, and are given up for it."""


class Tape(Generic[T]):
    """For one thread."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes: Final = max_bytes
        self._waiting: deque[tuple[T, int]] = deque()
        self._n_bytes = 0
        self._is_skipping = True
        """Nothing can be made of what comes until the next key picture."""
        self.n_skipped = 0
        """What was never taken."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def n_bytes(self) -> int:
        """Return how much waits."""
        return self._n_bytes

    def put(self, item: T, n_bytes: int, kind: Kind) -> None:
        """Add what comes next, or give up what there is too much of."""
        is_behind = kind == "key" and len(self._waiting) > _FEW
        if is_behind or self._n_bytes + n_bytes > self._max_bytes:
            self.clear()
        if kind == "key":
            self._is_skipping = False
        if n_bytes > self._max_bytes or (kind == "delta" and self._is_skipping):
            self._is_skipping = True
            self.n_skipped += 1
            return
        self._waiting.append((item, n_bytes))
        self._n_bytes += n_bytes

    def take(self, at_most_bytes: int) -> list[T]:
        """Return what comes next: one, and more as long as they fit."""
        taken: list[T] = []
        n_bytes = 0
        while self._waiting and (not taken or n_bytes + self._waiting[0][1] <= at_most_bytes):
            item, size = self._waiting.popleft()
            taken.append(item)
            n_bytes += size
        self._n_bytes -= n_bytes
        return taken

    def clear(self) -> None:
        """Give up what waits; what comes next begins with a key picture."""
        self.n_skipped += len(self._waiting)
        self._waiting.clear()
        self._n_bytes = 0
        self._is_skipping = True
