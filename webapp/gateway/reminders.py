"""Telling people once, not every time: what goes wrong twice a second is one event a while."""

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

EVERY: Final = timedelta(minutes=1)
_MOST: Final = 10_000


class Reminders:
    """Remembers what was told when. Each instance is used by one thread."""

    def __init__(self, every: timedelta = EVERY) -> None:
        self._every = every
        self._told_at: dict[Hashable, datetime] = {}

    def is_due(self, what: Hashable, *, at: datetime) -> bool:
        """Return whether nobody was told of `what` for a while."""
        told_at = self._told_at.get(what)
        return told_at is None or at - told_at >= self._every

    def told(self, what: Hashable, *, at: datetime) -> None:
        """Remember that people were told: call it once that is committed."""
        if len(self._told_at) >= _MOST:
            self._told_at = {
                key: told_at for key, told_at in self._told_at.items() if at - told_at < self._every
            }
        self._told_at[what] = at

    @contextmanager
    def due(self, what: Hashable, *, at: datetime) -> Iterator[bool]:
        """Give whether it is time to tell; leaving the block without an error is having told."""
        is_due = self.is_due(what, at=at)
        yield is_due
        if is_due:
            self.told(what, at=at)
