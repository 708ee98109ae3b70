"""How long results, their counts and what was lost are kept."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Model, QuerySet, Sum

from webapp.accounts.models import Organization
from webapp.common.keeping import Kept, Old, forget_rows, keeps, rows_kept
from webapp.fleet.models import Camera
from webapp.results.archive import may_go, parts_in_table, parts_of, safe_rows, secure
from webapp.results.folding import folded_until
from webapp.results.models import ArchivedDay, LostRange, Result
from webapp.results.partitions import days_before, drop_day, is_partitioned, rows_of
from webapp.results.rollups import DAYS, HOURS, MINUTES


def _count_results(before: datetime) -> int:
    if is_partitioned():
        return sum(rows_of(day) for day in days_before(_first_kept(before)))
    return sum(rows.count() for rows in _old_results(before))


def _forget_results(before: datetime) -> Iterator[int]:
    """Drop the days that are over; in a table without days, delete rows.

    What the archive is to keep is in there first: a day that cannot be written stays.
    """
    at = before + timedelta(days=settings.KEEP_DAYS["results"])
    if is_partitioned():
        yield from _drop_days(_first_kept(before), at)
        return
    for part in parts_in_table(_first_kept(before) + timedelta(days=1)):
        if secure(part, at=at):
            begin, end = part.window
            yield from forget_rows(
                safe_rows(part, at=at).filter(
                    captured_at__gte=begin, captured_at__lt=min(end, before)
                )
            )


def _drop_days(first_kept: date, at: datetime) -> Iterator[int]:
    for day in days_before(first_kept):
        if not all(secure(part, at=at) for part in parts_of(day)):
            continue
        n_rows = rows_of(day)
        if drop_day(day, may_go=partial(may_go, day, at=at)) and n_rows:
            yield n_rows


def _first_kept(before: datetime) -> date:
    return before.astimezone(UTC).date()


def _old_results(before: datetime) -> Iterator[QuerySet[Any]]:
    for organization_id in Organization.objects.values_list("pk", flat=True):
        yield Result.objects.filter(organization=organization_id, captured_at__lt=before)


def _old_archive(before: datetime) -> QuerySet[ArchivedDay]:
    return ArchivedDay.objects.filter(day__lt=_first_kept(before))


def _forget_files(rows: QuerySet[ArchivedDay]) -> None:
    paths = [row.path for row in rows]
    rows.delete()
    for path in paths:
        transaction.on_commit(partial(path.unlink, missing_ok=True))


def of_cameras(field: str, *models: type[Model]) -> Old:
    """Return what finds old rows of tables whose index begins with the camera."""

    def old(before: datetime) -> Iterator[QuerySet[Any]]:
        for camera_id in Camera.objects.values_list("pk", flat=True):
            for model in models:
                rows = model._default_manager.filter(camera=camera_id)  # noqa: SLF001 - Django's door
                yield rows.filter(**{f"{field}__lt": before})

    return old


_old_hours = of_cameras(HOURS.begins_at, *HOURS.tables)
_old_days = of_cameras(DAYS.begins_at, *DAYS.tables)


def _old_minutes(before: datetime) -> Iterator[QuerySet[Any]]:
    """Yield minutes that are old and in their hours: without a worker they stay."""
    until = folded_until()
    if until is not None:
        yield from of_cameras(MINUTES.begins_at, *MINUTES.tables)(min(before, until))


keeps(
    Kept(
        "results", "What models said of each frame", (Result,),
        count=_count_results, forget=_forget_results,
    )
)  # fmt: skip
keeps(
    rows_kept(
        "archive", "Results of old days, in files", (ArchivedDay,),
        lambda before: [_old_archive(before)],
        lambda: ArchivedDay.objects.aggregate(total=Sum("n_bytes"))["total"] or 0,
        delete=_forget_files,
    )
)  # fmt: skip
keeps(rows_kept("minutes", "Counts of each minute", MINUTES.tables, _old_minutes))
keeps(
    rows_kept(
        "hours", "Counts of each hour and day", (*HOURS.tables, *DAYS.tables),
        lambda before: [*_old_hours(before), *_old_days(before)],
    )
)  # fmt: skip
keeps(
    rows_kept(
        "losses", "What never came, and why", (LostRange,),
        lambda before: [LostRange.objects.filter(noticed_at__lt=before)],
    )
)  # fmt: skip
