"""Where counts are read: from minutes, from hours, from days that are folded."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from webapp.results.days import ONE_DAY, begin_of_day, folded_until
from webapp.results.models import (
    CameraDay,
    CameraHour,
    CameraMinute,
    LabelDay,
    LabelHour,
    LabelMinute,
    ZoneDay,
    ZoneHour,
    ZoneMinute,
)

OfCameras: TypeAlias = type[CameraMinute | CameraHour | CameraDay]
OfLabels: TypeAlias = type[LabelMinute | LabelHour | LabelDay]
OfZones: TypeAlias = type[ZoneMinute | ZoneHour | ZoneDay]

_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Rollups:
    """The tables of counts of one length of time."""

    begins_at: str
    """Their column of when it begins."""
    of_cameras: OfCameras
    of_labels: OfLabels
    of_zones: OfZones

    @property
    def tables(self) -> tuple[OfCameras, OfLabels, OfZones]:
        return self.of_cameras, self.of_labels, self.of_zones


MINUTES: Final = Rollups("minute_at", CameraMinute, LabelMinute, ZoneMinute)
HOURS: Final = Rollups("hour_at", CameraHour, LabelHour, ZoneHour)
DAYS: Final = Rollups("day_at", CameraDay, LabelDay, ZoneDay)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What begins in [start, end), in these tables."""

    rollups: Rollups
    start: datetime
    end: datetime

    @property
    def within(self) -> dict[str, datetime]:
        """Return the condition on their rows."""
        name = self.rollups.begins_at
        return {f"{name}__gte": self.start, f"{name}__lt": self.end}


def stretches(bucket: timedelta, start: datetime, end: datetime) -> list[Stretch]:
    """Return where the counts of [start, end) are, oldest first, for buckets of this length.

    For buckets of an hour or more, an hour that begins before `start` is whole in it all the
    same. Whole days are read as days as soon as they are folded, what is left as hours.
    """
    if bucket < _HOUR:
        return [Stretch(MINUTES, start, end)]
    start = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    until = folded_until() if bucket >= ONE_DAY else None
    if until is None:
        return [Stretch(HOURS, start, end)]
    midnight = begin_of_day(start)
    first = midnight if midnight == start else midnight + ONE_DAY
    last = max(first, min(begin_of_day(end), until))
    parts = (
        Stretch(HOURS, start, min(first, end)),
        Stretch(DAYS, first, last),
        Stretch(HOURS, last, end),
    )
    return [part for part in parts if part.start < part.end]
