"""UTC days and hours: when one began."""

from datetime import UTC, datetime, timedelta
from typing import Final

ONE_HOUR: Final = timedelta(hours=1)
ONE_DAY: Final = timedelta(days=1)


def begin_of_hour(at: datetime) -> datetime:
    """Return when the UTC hour began."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def begin_of_day(at: datetime) -> datetime:
    """Return when the UTC day began."""
    return begin_of_hour(at).replace(hour=0)
