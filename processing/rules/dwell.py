"""For how long something has been so, whatever flickers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LAPSE: Final = timedelta(seconds=2)
"""So long a thing may be missed and still counts as there. Detectors lose things for a second or
so; it is also how long the tracker remembers them."""


@dataclass(slots=True)
class _Stay:
    since: datetime
    last_at: datetime
    missed_at: datetime | None = None
    """The first frame after `last_at`: where no frame was looked at, nothing was missed."""


class Dwell:
    """Stays of things, each under its number. Call `look` once a frame, in order of time."""

    def __init__(self, lapse: timedelta = LAPSE) -> None:
        self._lapse = lapse
        self._stays: dict[int, _Stay] = {}

    def look(self, here: Iterable[int], at: datetime) -> None:
        """Take which things are so in the frame of `at`; a number may be there twice."""
        stays = self._stays
        for number in here:
            stay = stays.get(number)
            if stay is None:
                stays[number] = _Stay(since=at, last_at=at)
            else:
                stay.last_at = at
                stay.missed_at = None
        gone = []
        for number, stay in stays.items():
            if stay.last_at == at:
                continue
            if stay.missed_at is None:
                stay.missed_at = at
            elif at - stay.missed_at >= self._lapse:
                gone.append(number)
        for number in gone:
            del stays[number]

    def held(self, after_s: float) -> dict[int, datetime]:
        """Return what has been so for that long, missed just now or not, each with its start."""
        enough = timedelta(seconds=after_s)
        return {
            number: stay.since
            for number, stay in self._stays.items()
            if stay.last_at - stay.since >= enough
        }

    def forget(self, number: int) -> None:
        """End a stay at once."""
        self._stays.pop(number, None)

    def rename(self, old: int, new: int) -> None:
        """Go on with a stay under another number."""
        stay = self._stays.pop(old, None)
        if stay is not None:
            self._stays[new] = stay
