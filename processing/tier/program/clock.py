"""The one place where the tier asks what day it is; durations use `time.monotonic`."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the machine's wall clock."""
    return datetime.now(UTC)  # noqa: TID251 the clock that is passed to everybody else
