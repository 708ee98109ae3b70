"""Hours into UTC days, which charts of three months read.

The worker adds up days that are over: it costs nothing while results come. What comes late makes
its day be added up anew, in the transaction that stores it. So a day that is folded is its hours'
sum at any time; one that is not is read from its hours (`webapp.results.rollups`).
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import Max, Min

from webapp.fleet.models import Camera
from webapp.results.arrivals import Key
from webapp.results.minutes import MinuteKey
from webapp.results.models import CameraDay, CameraHour, FoldedDay, LabelDay, ZoneDay

ONE_DAY: Final = timedelta(days=1)
_REST: Final = timedelta(hours=1)
"""So long a day rests before it is folded: the hub's machines' clocks differ by less."""
_LOCK: Final = 0x0FA7DA76
"""Of PostgreSQL's advisory locks: whoever folds a day has it alone, who brings late data not."""


def _adds_up(of: str, keys: str, **figures: str) -> str:
    """Return a statement that adds up a day of a camera: what figures there are, and how."""
    names, key = ", ".join(figures), f"camera_id, day_at{keys}"
    sums = ", ".join(f"{how}({name})" for name, how in figures.items())
    return (
        f"INSERT INTO results_{of}day ({key}, organization_id, {names})"  # noqa: S608 - constants only
        f" SELECT camera_id, %s{keys}, organization_id, {sums} FROM results_{of}hour"
        " WHERE camera_id = %s AND hour_at >= %s AND hour_at < %s"
        f" GROUP BY camera_id{keys}, organization_id ON CONFLICT ({key}) DO UPDATE SET"
        f" {', '.join(f'{name} = excluded.{name}' for name in figures)}"
    )


_ADD_UP: Final = (
    _adds_up("camera", "", n_results="sum"),
    _adds_up("label", ", bundle_id, label", n_detections="sum", n_tracks="sum", peak="max"),
    _adds_up("zone", ", zone_id, bundle_id, label", n_tracks="sum"),
)


def folded_until() -> datetime | None:
    """Return the instant before which all days are folded, if any is."""
    last: datetime | None = FoldedDay.objects.aggregate(last=Max("day_at"))["last"]
    return last + ONE_DAY if last is not None else None


def fold_days(at: datetime) -> Iterator[datetime]:
    """Fold the days that have been over for a while, oldest first; yield each."""
    _unfold_since(begin_of_day(at))
    day = folded_until() or _first_day()
    while day is not None and day + ONE_DAY + _REST <= at:
        _fold_day(day)
        yield day
        day += ONE_DAY


def refold_late(minutes: Iterable[MinuteKey], *, at: datetime) -> None:
    """Add up days anew whose minutes got something more, if they are folded."""
    today = begin_of_day(at)
    late = {(key[0], begin_of_day(key[-1])) for key in minutes if key[-1] < today}
    if not late:
        return
    _hold("pg_advisory_xact_lock_shared")
    until = folded_until()
    if until is not None:
        _add_up((camera, day) for camera, day in late if day < until)


def begin_of_day(at: datetime) -> datetime:
    """Return when the UTC day began."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _first_day() -> datetime | None:
    first: datetime | None = CameraHour.objects.aggregate(first=Min("hour_at"))["first"]
    return begin_of_day(first) if first is not None else None


@transaction.atomic
def _fold_day(day: datetime) -> None:
    _hold("pg_advisory_xact_lock")
    cameras = Camera.objects.order_by("pk").values_list("pk", flat=True)
    _add_up((camera.hex, day) for camera in cameras.iterator())
    FoldedDay.objects.get_or_create(day_at=day)


@transaction.atomic
def _unfold_since(day: datetime) -> None:
    """Undo what was folded by a clock that was ahead: what comes now is not late for others."""
    _hold("pg_advisory_xact_lock")
    if FoldedDay.objects.filter(day_at__gte=day).delete()[0]:
        for model in (CameraDay, LabelDay, ZoneDay):
            model._default_manager.filter(day_at__gte=day).delete()  # noqa: SLF001 - Django's door


def _hold(lock: str) -> None:
    """Wait for others that fold, or bring what is late, until the caller's transaction ends."""
    if connection.vendor == "postgresql":  # SQLite has one writer
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {lock}(%s)", [_LOCK])


def _add_up(days: Iterable[tuple[Key, datetime]]) -> None:
    """Add up days of cameras; each by its own statement, so that an index finds its hours."""
    as_kept = connection.ops.adapt_datetimefield_value
    rows = [
        (as_kept(day), camera, as_kept(day), as_kept(day + ONE_DAY)) for camera, day in sorted(days)
    ]
    with connection.cursor() as cursor:
        for statement in _ADD_UP:
            cursor.executemany(statement, rows)
