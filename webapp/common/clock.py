"""The hub's clock, in one place; everything else takes the time as an argument."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the current instant, aware UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the place
