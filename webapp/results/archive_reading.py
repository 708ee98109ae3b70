"""Results from the table and the archive as one list.

A row may be in both: files are merged with the table by id, newest capture first or the other way
round. So it does not matter when a day leaves the table.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from django.db.models import Max, Min, QuerySet

from webapp.accounts.models import Role
from webapp.accounts.tenancy import Actor
from webapp.fleet.models import Bundle, Camera
from webapp.results.archive_check import Missing, checked_file, mark_damaged
from webapp.results.archive_files import Unreadable, Wanted, read_file
from webapp.results.days import ONE_DAY
from webapp.results.models import ArchivedDay, Result
from webapp.results.places import BEGIN, END, Place, Span

LONGEST_S: Final = 10.0
"""Of reading files at once."""


class DayUnreadable(Exception):
    """A day of the archive cannot be read."""

    def __init__(self, day: date, *, is_missing: bool) -> None:
        super().__init__(str(day))
        self.day = day
        self.is_missing = is_missing


@dataclass(frozen=True)
class Stored:
    """The results that an actor may see and asks for."""

    cameras: QuerySet[Camera]
    rows: QuerySet[Result]
    days: QuerySet[ArchivedDay]
    wanted: Wanted
    span: Span
    at: datetime
    """Now; a day that turns out to be damaged is so since then."""

    @classmethod
    def of(
        cls, actor: Actor, needed: Role, filters: Mapping[str, object], *, at: datetime
    ) -> "Stored":
        """Return what the query parameters `camera`, `bundle`, `from` and `to` leave."""
        cameras = Camera.objects.for_actor(actor, needed)
        rows = Result.objects.for_actor(actor, needed)
        days = ArchivedDay.objects.for_actor(actor, needed)
        bundle, since, until = (filters.get(name) for name in ("bundle", "from", "to"))
        if isinstance(bundle, UUID):
            rows = rows.filter(bundle=bundle)
        stored = cls(
            cameras=cameras,
            rows=rows,
            days=days,
            wanted=Wanted(
                cameras=tuple(cameras.values_list("pk", flat=True)) if days.exists() else (),
                bundle=bundle if isinstance(bundle, UUID) else None,
            ),
            span=Span(
                Place.at(since) if isinstance(since, datetime) else BEGIN,
                Place.at(until) if isinstance(until, datetime) else END,
            ),
            at=at,
        )
        camera = filters.get("camera")
        return stored.of_cameras([camera]) if isinstance(camera, UUID) else stored

    def of_cameras(self, keys: Iterable[UUID]) -> "Stored":
        """Return what these cameras have of it."""
        chosen = list(keys)
        cameras = self.cameras.filter(pk__in=chosen)
        return replace(
            self,
            cameras=cameras,
            rows=self.rows.filter(camera__in=chosen),
            days=self.days.filter(organization__in=cameras.values("organization")),
            wanted=replace(
                self.wanted, cameras=tuple(key for key in self.wanted.cameras if key in chosen)
            ),
        )

    def within(self, since: Place = BEGIN, until: Place = END) -> "Stored":
        """Return what is in [since, until) of it."""
        return replace(self, span=self.span.within(since, until))

    def with_detections(self) -> "Stored":
        """Return the results in which there is anything."""
        return replace(
            self,
            rows=self.rows.filter(n_detections__gt=0),
            wanted=replace(self.wanted, n_detections=1),
        )

    def one(self, result_id: int) -> Result | None:
        """Return a result of the archive by its id; raise `DayUnreadable` or `TooSlow`."""
        days = self.days.filter(first_id__lte=result_id, last_id__gte=result_id)
        wanted = replace(self.wanted, id=result_id)
        only = replace(self, rows=self.rows.none(), days=days, wanted=wanted)
        found = only.first(1, is_newest_first=True)
        return found[0] if found else None

    def reach(self) -> Span:
        """Return the part of the span that may have results: from a day's begin to a day's end."""
        organizations = self.cameras.order_by("organization").values("organization").distinct()
        instants: list[datetime | None] = []
        for row in organizations:  # two probes of an index for each
            instants += (
                Result.objects.filter(**row)
                .aggregate(Min("captured_at"), Max("captured_at"))
                .values()
            )
        days = [each.astimezone(UTC).date() for each in instants if each is not None]
        days += [day for day in self.days.aggregate(Min("day"), Max("day")).values() if day]
        if not days:
            return Span(BEGIN, BEGIN)
        return self.span.within(Place.of_day(min(days)), Place.of_day(max(days) + ONE_DAY))

    def first(self, n_rows: int, *, is_newest_first: bool) -> list[Result]:
        """Return the first of them.

        Raise `DayUnreadable`, or `TooSlow` when files take longer than `LONGEST_S`.
        """
        if self.span.is_empty:
            return []
        order = ("-captured_at", "-pk") if is_newest_first else ("captured_at", "pk")
        rows = self.rows.filter(self.span.condition).order_by(*order)[:n_rows]
        return self._merged_with(list(rows), n_rows=n_rows, is_newest_first=is_newest_first)

    def _merged_with(
        self, rows: list[Result], *, n_rows: int, is_newest_first: bool
    ) -> list[Result]:
        until = time.monotonic() + LONGEST_S
        by_id = {row.pk: row for row in rows}
        first = sorted(by_id.values(), key=Place.of, reverse=is_newest_first)
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
            first = sorted(by_id.values(), key=Place.of, reverse=is_newest_first)[:n_rows]
            by_id = {row.pk: row for row in first}
        _give_bundles(first)
        return first

    def _by_day(self, *, is_newest_first: bool) -> Iterator[tuple[date, Iterator[ArchivedDay]]]:
        if not self.wanted.cameras:
            return iter(())
        days = self.days.filter(
            day__gte=self.span.since.day, day__lte=self.span.until.last_day_before, n_rows__gt=0
        ).order_by("-day" if is_newest_first else "day")
        return groupby(days, key=lambda row: row.day)

    def _read(
        self, row: ArchivedDay, *, n_rows: int, is_newest_first: bool, within_s: float
    ) -> Iterator[Result]:
        wanted = replace(self.wanted, since=self.span.since, until=self.span.until)
        try:
            file = checked_file(row)
            found = read_file(
                file, wanted, n_rows=n_rows, is_newest_first=is_newest_first, within_s=within_s
            )
        except Unreadable as error:
            mark_damaged(row, str(error), at=self.at)
            raise DayUnreadable(row.day, is_missing=isinstance(error, Missing)) from error
        for columns in found:
            yield _result(row.organization_id, columns)


def _is_beyond(day: date, last: Result, *, is_newest_first: bool) -> bool:
    of_last = last.captured_at.astimezone(UTC).date()
    return day < of_last if is_newest_first else day > of_last


def _result(organization_id: UUID, columns: tuple[Any, ...]) -> Result:
    pk, agent, camera, bundle, epoch, seq, captured_us, received_us, latency_ms, n, boxes = columns
    return Result(
        id=pk, organization_id=organization_id, agent_id=agent, camera_id=camera,
        bundle_id=bundle, epoch=epoch, seq=seq, captured_at=Place(captured_us).instant,
        received_at=Place(received_us).instant, latency_ms=latency_ms, n_detections=n,
        detections=boxes,
    )  # fmt: skip


def _give_bundles(rows: list[Result]) -> None:
    """Set the bundles of results; one that is no more has no names for its classes."""
    bundles = Bundle.objects.in_bulk({row.bundle_id for row in rows})
    for row in rows:
        row.bundle = bundles.get(row.bundle_id) or Bundle(pk=row.bundle_id, labels=[])
