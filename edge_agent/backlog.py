"""Entries that are not on disk yet: bounded, and what finds no room is counted by lane."""

from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

from edge_agent.spool.spool import New
from processing.wire.messages import (
    LANES,
    EventRaised,
    Lane,
    Result,
    SampleOffered,
    Thumbnail,
)

Entry = Result | EventRaised | SampleOffered | Thumbnail

MAX_ENTRIES: Final = 5_000
MAX_BYTES: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry, and what is stored of it."""

    new: New
    entry: Entry


class Backlog:
    """In order of arrival. Whoever shares it between threads locks it."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self._n_bytes = 0
        self.lost: Counter[Lane] = Counter()
        """Entries that found no room, to be counted as gaps once the disk takes something."""

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, waiting: Waiting) -> None:
        """Take an entry in; if there is no room, the oldest of the lowest lane makes some."""
        self._waiting.append(waiting)
        self._n_bytes += len(waiting.new.body)
        while len(self._waiting) > MAX_ENTRIES or self._n_bytes > MAX_BYTES:
            self._lose_one()

    def take(self, n: int) -> list[Waiting]:
        """Return and remove the first `n`, or as many as there are."""
        taken = [self._waiting.popleft() for _ in range(min(n, len(self._waiting)))]
        self._n_bytes -= sum(len(waiting.new.body) for waiting in taken)
        return taken

    def give_back(self, taken: list[Waiting]) -> None:
        """Put back what was taken and could not be stored, in front of the rest."""
        self._waiting.extendleft(reversed(taken))
        self._n_bytes += sum(len(waiting.new.body) for waiting in taken)

    def _lose_one(self) -> None:
        lanes = {waiting.new.lane for waiting in self._waiting}
        lowest = next(lane for lane in reversed(LANES) if lane in lanes)
        index = next(n for n, waiting in enumerate(self._waiting) if waiting.new.lane == lowest)
        self._n_bytes -= len(self._waiting[index].new.body)
        del self._waiting[index]
        self.lost[lowest] += 1
