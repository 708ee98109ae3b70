"""Results from the table and the archive as one list.

A row may be in both: files are merged with the table by id, newest capture first or the other way
round. So it does not matter when a day leaves the table.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet

from webapp.accounts.models import Role
from webapp.accounts.tenancy import Actor
from webapp.fleet.models import Bundle, Camera
from webapp.results.archive_check import Missing, checked_file, mark_damaged
from webapp.results.archive_files import Unreadable, Wanted, read_file
from webapp.results.archive_source import EPOCH, microseconds
from webapp.results.models import ArchivedDay, Result

LONGEST_S: Final = 10.0
"""Of reading files for one page."""
_FOREVER_US: Final = microseconds(datetime(9999, 12, 31, tzinfo=UTC))


class DayUnreadable(Exception):
    """A day of the archive cannot be read."""

    def __init__(self, day: date, *, is_missing: bool) -> None:
        super().__init__(str(day))
        self.day = day
        self.is_missing = is_missing


@dataclass(frozen=True)
class Archived:
    """What of the archive an actor may see and asks for."""

    days: QuerySet[ArchivedDay]
    wanted: Wanted
    at: datetime
    """Now; a day that turns out to be damaged is so since then."""

    @classmethod
    def of(
        cls, actor: Actor, needed: Role, filters: Mapping[str, object], *, at: datetime
    ) -> "Archived":
        """Return the archive as narrowed by the query parameters of the API's list."""
        cameras = Camera.objects.for_actor(actor, needed)
        days = ArchivedDay.objects.for_actor(actor, needed)
        if (camera := filters.get("camera")) is not None:
            cameras = cameras.filter(pk=str(camera))
            days = days.filter(organization__in=cameras.values("organization"))
        since, until, bundle = filters.get("from"), filters.get("to"), filters.get("bundle")
        wanted = Wanted(
            cameras=tuple(cameras.values_list("pk", flat=True)) if days.exists() else (),
            since_us=max(microseconds(since), 0) if isinstance(since, datetime) else 0,
            until_us=max(microseconds(until), 0) if isinstance(until, datetime) else _FOREVER_US,
            bundle=bundle if isinstance(bundle, UUID) else None,
        )
        return cls(days, wanted, at)

    def before(self, at: datetime) -> "Archived":
        until_us = min(self.wanted.until_us, microseconds(at))
        return replace(self, wanted=replace(self.wanted, until_us=until_us))

    def after(self, at: datetime) -> "Archived":
        since_us = max(self.wanted.since_us, microseconds(at) + 1)
        return replace(self, wanted=replace(self.wanted, since_us=since_us))

    def one(self, result_id: int) -> Result | None:
        """Return a result by its id; raise `DayUnreadable` or `TooSlow`."""
        days = self.days.filter(first_id__lte=result_id, last_id__gte=result_id)
        only = replace(self, days=days, wanted=replace(self.wanted, id=result_id))
        found = only.merged_with([], n_rows=1, is_newest_first=True)
        return found[0] if found else None

    def merged_with(
        self, rows: list[Result], *, n_rows: int, is_newest_first: bool
    ) -> list[Result]:
        """Return the first `n_rows` of both; `rows` are the table's first, in this order.

        Raise `DayUnreadable`, or `TooSlow` when files take longer than `LONGEST_S`.
        """
        until = time.monotonic() + LONGEST_S
        by_id = {row.pk: row for row in rows}
        first = sorted(by_id.values(), key=_place, reverse=is_newest_first)
        for day, files in self._by_day(is_newest_first=is_newest_first):
            if len(first) >= n_rows and _is_beyond(
                day, first[n_rows - 1], is_newest_first=is_newest_first
            ):
                break
            for row in files:
                for found in self._read(
                    row,
                    n_rows=n_rows,
                    is_newest_first=is_newest_first,
                    within_s=until - time.monotonic(),
                ):
                    by_id.setdefault(found.pk, found)
            first = sorted(by_id.values(), key=_place, reverse=is_newest_first)[:n_rows]
            by_id = {row.pk: row for row in first}
        _give_bundles(first)
        return first

    def _by_day(self, *, is_newest_first: bool) -> Iterator[tuple[date, Iterator[ArchivedDay]]]:
        if not self.wanted.cameras or self.wanted.since_us >= self.wanted.until_us:
            return iter(())
        days = self.days.filter(
            day__gte=_instant(self.wanted.since_us).date(),
            day__lte=_instant(self.wanted.until_us - 1).date(),
            n_rows__gt=0,
        ).order_by("-day" if is_newest_first else "day")
        return groupby(days, key=lambda row: row.day)

    def _read(
        self, row: ArchivedDay, *, n_rows: int, is_newest_first: bool, within_s: float
    ) -> Iterator[Result]:
        try:
            file = checked_file(row)
            found = read_file(
                file, self.wanted, n_rows=n_rows, is_newest_first=is_newest_first, within_s=within_s
            )
        except Unreadable as error:
            mark_damaged(row, str(error), at=self.at)
            raise DayUnreadable(row.day, is_missing=isinstance(error, Missing)) from error
        for columns in found:
            yield _result(row.organization_id, columns)


class WithArchive:
    """What `CursorPagination` needs of a query of results; reads the archive where it reaches."""

    def __init__(
        self, rows: QuerySet[Result], archived: Archived, *, is_newest_first: bool = True
    ) -> None:
        self._rows = rows
        self._archived = archived
        self._is_newest_first = is_newest_first

    def order_by(self, *ordering: str) -> "WithArchive":
        return WithArchive(
            self._rows.order_by(*ordering),
            self._archived,
            is_newest_first=ordering[0].startswith("-"),
        )

    def filter(
        self, *, captured_at__lt: str | None = None, captured_at__gt: str | None = None
    ) -> "WithArchive":
        """Go on from a cursor; raise `ValueError` when it names no instant."""
        rows, archived = self._rows, self._archived
        if captured_at__lt is not None:
            at = _read_instant(captured_at__lt)
            rows, archived = rows.filter(captured_at__lt=at), archived.before(at)
        if captured_at__gt is not None:
            at = _read_instant(captured_at__gt)
            rows, archived = rows.filter(captured_at__gt=at), archived.after(at)
        return WithArchive(rows, archived, is_newest_first=self._is_newest_first)

    def __getitem__(self, wanted: slice) -> list[Result]:
        merged = self._archived.merged_with(
            list(self._rows[: wanted.stop]),
            n_rows=wanted.stop,
            is_newest_first=self._is_newest_first,
        )
        return merged[wanted]


def _read_instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant without its zone")
    return at


def _instant(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=us)


def _place(row: Result) -> tuple[datetime, int]:
    return row.captured_at, row.pk


def _is_beyond(day: date, last: Result, *, is_newest_first: bool) -> bool:
    of_last = last.captured_at.astimezone(UTC).date()
    return day < of_last if is_newest_first else day > of_last


def _result(organization_id: UUID, columns: tuple[Any, ...]) -> Result:
    pk, agent, camera, bundle, epoch, seq, captured_us, received_us, latency_ms, n, boxes = columns
    return Result(
        id=pk, organization_id=organization_id, agent_id=agent, camera_id=camera,
        bundle_id=bundle, epoch=epoch, seq=seq, captured_at=_instant(captured_us),
        received_at=_instant(received_us), latency_ms=latency_ms, n_detections=n, detections=boxes,
    )  # fmt: skip


def _give_bundles(rows: list[Result]) -> None:
    """Set the bundles of what came from files; one that is no more has no names for its classes."""
    bare = [row for row in rows if not Result.bundle.is_cached(row)]
    bundles = Bundle.objects.in_bulk({row.bundle_id for row in bare})
    for row in bare:
        row.bundle = bundles.get(row.bundle_id) or Bundle(pk=row.bundle_id, labels=[])
