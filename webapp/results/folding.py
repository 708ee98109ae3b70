"""Minutes into hours, hours into UTC days, which charts of weeks and months read.

The worker adds up hours that are over, and a day with its last hour: it costs nothing while
results come. What comes after that is added to its hour and day in the transaction that stores
it. So what is folded is its minutes' sum at any time; what is not is read from them
(`webapp.results.rollups`).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Min

from webapp.fleet.models import Camera
from webapp.results.counted import ALL, CAMERAS, Counted, Counts, Length
from webapp.results.days import ONE_DAY, ONE_HOUR, begin_of_day, begin_of_hour
from webapp.results.models import CameraMinute, Folded

_LATE: Final = ONE_HOUR
"""What comes so long after its hour is over may find it folded: it asks."""
_REST: Final = 2 * ONE_HOUR
"""So long an hour rests before it is folded: the hub's machines' clocks differ by less than what
is between the two."""
_LOCK: Final = 0x0FA7DA76
"""Of PostgreSQL's advisory locks: whoever folds has it alone, who brings late data not."""


def folded_until() -> datetime | None:
    """Return the instant before which all hours are folded, and all whole days, if any is."""
    return Folded.objects.values_list("until", flat=True).first()


def fold(at: datetime) -> Iterator[datetime]:
    """Fold the hours that have been over for a while; yield until when, a day at most each time."""
    until, due = folded_until(), begin_of_hour(at - _REST)
    if until is None:
        until = _first_hour()
    elif until + _LATE > at:
        _unfold(due)
    while until is not None and until < due:
        until = _fold(until, min(begin_of_day(until) + ONE_DAY, due))
        yield until


def add_late(minutes: Mapping[Counted, Counts], *, at: datetime) -> None:
    """Add what is new to minutes to their hours and days, where these are folded."""
    recent = begin_of_hour(at - _LATE)
    if all(place[1] >= recent for place in minutes[CAMERAS]):
        return
    _hold("pg_advisory_xact_lock_shared")
    until = folded_until()
    if until is not None:
        for counted, counts in minutes.items():
            counted.add("hour", counted.longer(counts, begin_of_hour, before=until))
            counted.add("day", counted.longer(counts, begin_of_day, before=begin_of_day(until)))


def _first_hour() -> datetime | None:
    first: datetime | None = CameraMinute.objects.aggregate(first=Min("minute_at"))["first"]
    return begin_of_hour(first) if first is not None else None


@transaction.atomic
def _fold(begin: datetime, until: datetime) -> datetime:
    """Fold the hours of one day, and the day with its last hour."""
    _hold("pg_advisory_xact_lock")
    _add_up("hour", "minute", begin, until)
    if until == begin_of_day(until):
        _add_up("day", "hour", until - ONE_DAY, until)
    Folded.objects.update_or_create(pk=1, defaults={"until": until})
    return until


@transaction.atomic
def _unfold(since: datetime) -> None:
    """Undo what was folded by a clock that was ahead: what comes now is not late for others."""
    _hold("pg_advisory_xact_lock")
    for counted in ALL:
        counted.forget("hour", since=since)
        counted.forget("day", since=begin_of_day(since))
    Folded.objects.update(until=since)


def _hold(lock: str) -> None:
    """Wait for others that fold, or bring what is late, until the caller's transaction ends."""
    if connection.vendor == "postgresql":  # SQLite has one writer
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {lock}(%s)", [_LOCK])


def _add_up(length: Length, finer: Length, begin: datetime, end: datetime) -> None:
    """Add up each camera by a statement of its own, so that an index finds what is finer."""
    begins, ends = map(connection.ops.adapt_datetimefield_value, (begin, end))
    cameras = Camera.objects.order_by("pk").values_list("pk", flat=True)
    rows = [(camera.hex, begins, ends) for camera in cameras.iterator()]
    with connection.cursor() as cursor:
        for counted in ALL:
            cursor.executemany(counted.adding_up(length, finer), rows)
