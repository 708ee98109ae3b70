"""Where counts are read: from minutes, from hours and days that are folded."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from django.db.models import Min, OuterRef, QuerySet, Subquery

from webapp.fleet.models import Camera
from webapp.results.days import ONE_DAY, ONE_HOUR, begin_of_day, begin_of_hour
from webapp.results.folding import folded_until
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
    same. Whole days and hours are read as such where they are folded, what is left as minutes.
    """
    if bucket < ONE_HOUR:
        return [Stretch(MINUTES, start, end)]
    first = last = start = begin_of_hour(start)
    until = max(start, min(end, folded_until() or start))
    if bucket >= ONE_DAY and start < until:
        first = begin_of_day(start + ONE_DAY - ONE_HOUR)
        last = max(first, begin_of_day(until))
    parts = (
        Stretch(HOURS, start, min(first, until)),
        Stretch(DAYS, first, last),
        Stretch(HOURS, last, until),
        Stretch(MINUTES, until, end),
    )
    return [part for part in parts if part.start < part.end]


def counted_since(cameras: QuerySet[Camera]) -> datetime | None:
    """Return from when on nothing of these cameras was forgotten; None if nothing ever was.

    What came before its camera's first hour is not there, however long hours are kept by now.
    """
    until = folded_until()
    if until is None:  # all is in minutes still
        return None
    hours = CameraHour.objects.filter(camera=OuterRef("pk")).order_by("hour_at")
    # A probe of an index for each camera.
    firsts = cameras.annotate(first_at=Subquery(hours.values("hour_at")[:1]))
    first: datetime | None = firsts.aggregate(first=Min("first_at"))["first"]
    return first or until
