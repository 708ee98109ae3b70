"""Where results are in the order of their capture: by instant, then by id."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple, Self

from django.db.models import Q

from webapp.results.archive_source import EPOCH, microseconds
from webapp.results.models import Result

_MOST_DIGITS: Final = 18


class Place(NamedTuple):
    """Where a result is; as a border it parts what is before it from what is there or after."""

    us: int
    """Microseconds since 1970."""
    id: int = 0

    @classmethod
    def of(cls, result: Result) -> Self:
        return cls(microseconds(result.captured_at), result.pk)

    @classmethod
    def at(cls, instant: datetime) -> Self:
        """Return the border before all that was captured at an instant."""
        return cls(max(microseconds(instant), 0))

    @classmethod
    def of_day(cls, day: date) -> Self:
        """Return where a UTC day begins."""
        return cls.at(datetime.combine(day, time(), UTC))

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the place that `str` made into this text; raise `ValueError`."""
        parts = text.split(".")
        if len(parts) != 2 or not all(_is_number(part) for part in parts):  # noqa: PLR2004 - `us` and `id`
            raise ValueError("not a place")
        place = cls(*map(int, parts))
        if place > END:
            raise ValueError("a place after all time")
        return place

    def __str__(self) -> str:
        return f"{self.us}.{self.id}"

    @property
    def instant(self) -> datetime:
        return EPOCH + timedelta(microseconds=self.us)

    @property
    def day(self) -> date:
        return self.instant.date()

    @property
    def last_day_before(self) -> date:
        """Return the last day of which something is before this border."""
        return self.day if self.id else Place(self.us - 1).day

    @property
    def behind(self) -> "Place":
        """Return the border behind this result."""
        return Place(self.us, self.id + 1)


BEGIN: Final = Place(0)
END: Final = Place.at(datetime(9999, 12, 31, tzinfo=UTC))


class Span(NamedTuple):
    """The results in [since, until)."""

    since: Place = BEGIN
    until: Place = END

    def within(self, since: Place = BEGIN, until: Place = END) -> "Span":
        """Return what of it is in [since, until) too."""
        return Span(max(self.since, since), min(self.until, until))

    @property
    def is_empty(self) -> bool:
        return self.since >= self.until

    @property
    def condition(self) -> Q:
        """Return the condition on rows of the table."""
        condition = Q()
        if self.since > BEGIN:
            instant = self.since.instant
            condition &= Q(captured_at__gte=instant)
            if self.since.id:
                condition &= Q(captured_at__gt=instant) | Q(id__gte=self.since.id)
        if self.until < END:
            instant = self.until.instant
            if self.until.id:
                condition &= Q(captured_at__lte=instant)
                condition &= Q(captured_at__lt=instant) | Q(id__lt=self.until.id)
            else:
                condition &= Q(captured_at__lt=instant)
        return condition


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
