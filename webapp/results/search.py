"""Looking through results for what somebody seeks, hour by hour, no longer than it may take.

Detections are packed, so what is in a result is known once it is read. The counts of hours say in
which hours a class was seen, so that those without it are not read at all.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.conf import settings
from django.db.models.functions import Trunc

from webapp.fleet.models import Bundle
from webapp.results.archive_reading import Stored
from webapp.results.days import ONE_DAY, ONE_HOUR, begin_of_day
from webapp.results.models import Result
from webapp.results.places import BEGIN, END, Place
from webapp.results.rollups import counted_since, stretches
from webapp.results.sought import Sought

LONGEST_S: Final = 2.0
"""Of looking for one page."""
AT_ONCE: Final = 1000
"""Results that are in memory together; each may have 300 detections."""


class Step(NamedTuple):
    """What was found in a stretch."""

    found: list[Result]
    border: Place
    """How far everything was looked at."""


class Page(NamedTuple):
    """What was found, and where more of it may be."""

    found: list[Result]
    border: Place | None
    """None: there is no more."""
    is_cut_short: bool = False
    """Looking took too long."""


@dataclass(frozen=True)
class Search:
    """Results, those with something of what is sought; without it, all of them."""

    stored: Stored
    sought: Sought | None = None

    @classmethod
    def of(cls, stored: Stored, sought: Sought | None) -> "Search":
        if sought is None:
            return cls(stored)
        if sought.zones is not None:
            stored = stored.of_cameras(sought.zones)
        return cls(stored.with_detections(), sought)

    def within(self, since: Place = BEGIN, until: Place = END) -> "Search":
        return replace(self, stored=self.stored.within(since, until))

    def page(self, n_rows: int, *, is_newest_first: bool) -> Page:
        """Return the first of them; raise `DayUnreadable` or `TooSlow`."""
        until = time.monotonic() + LONGEST_S
        found: list[Result] = []
        at_once = n_rows + 1 if self.sought is None else 0
        for step in self.steps(is_newest_first=is_newest_first, at_once=at_once):
            found += step.found
            if len(found) > n_rows:
                last = Place.of(found[n_rows - 1])
                return Page(found[:n_rows], last if is_newest_first else last.behind)
            if self.sought is not None and time.monotonic() >= until:
                return Page(found, step.border, is_cut_short=True)
        return Page(found, None)

    def steps(self, *, is_newest_first: bool, at_once: int = 0) -> Iterator[Step]:
        """Yield what is found, stretch by stretch; raise `DayUnreadable` or `TooSlow`."""
        at_once = at_once or AT_ONCE
        for part in self._parts(is_newest_first=is_newest_first):
            rest = part
            while rows := rest.first(at_once, is_newest_first=is_newest_first):
                last = Place.of(rows[-1])
                border = last if is_newest_first else last.behind
                rest = rest.within(until=border) if is_newest_first else rest.within(since=border)
                yield Step(self._of_these(rows), border)
                if len(rows) < at_once:
                    break
            yield Step([], part.span.since if is_newest_first else part.span.until)

    def _of_these(self, rows: list[Result]) -> list[Result]:
        return rows if self.sought is None else [row for row in rows if self.sought.is_in(row)]

    def _parts(self, *, is_newest_first: bool) -> Iterator[Stored]:
        """Yield the hours in which there is something; an empty stretch for a day without any."""
        if self.sought is None:
            yield self.stored
            return
        reach = self.stored.within(*self.stored.reach())
        if reach.span.is_empty:
            return
        counted = counted_since(self.stored.cameras)
        begin = begin_of_day(reach.span.since.instant)
        n_days = (reach.span.until.last_day_before - begin.date()).days + 1
        for n in reversed(range(n_days)) if is_newest_first else range(n_days):
            day = begin + n * ONE_DAY
            is_counted = counted is None or day >= counted
            hours = self._hours_of(day) if is_counted else [(day, day + ONE_DAY)]
            for since, until in reversed(hours) if is_newest_first else hours:
                part = reach.within(Place.at(since), Place.at(until))
                if not part.span.is_empty:
                    yield part
            border = Place.at(day if is_newest_first else day + ONE_DAY)
            yield reach.within(border, border)

    def _hours_of(self, day: datetime) -> list[tuple[datetime, datetime]]:
        """Return in which hours of a day something was seen; all of it once they are forgotten."""
        kept_days = settings.KEEP_DAYS["hours"]
        if kept_days and day < self.stored.at - timedelta(days=kept_days):
            return [(day, day + ONE_DAY)]
        seen = {
            row
            for stretch in stretches(ONE_HOUR, day, day + ONE_DAY)
            for row in stretch.rollups.of_labels.objects.filter(
                camera__in=self.stored.cameras, n_detections__gt=0, **stretch.within
            )
            .annotate(begins_at=Trunc(stretch.rollups.begins_at, "hour"))
            .values_list("begins_at", "bundle_id", "label")
            .order_by()
            .distinct()
        }
        bundles = Bundle.objects.in_bulk({bundle_id for _, bundle_id, _ in seen})
        hours = {
            hour for hour, bundle_id, label in seen if self._is_meant(bundles[bundle_id], label)
        }
        return [(hour, hour + ONE_HOUR) for hour in sorted(hours)]

    def _is_meant(self, bundle: Bundle, label: int) -> bool:
        sought = self.sought
        return sought is None or sought.label is None or label in sought.numbers_in(bundle)
