"""The one place where the agent asks what time it is; everything else is given a clock."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Returns now, aware UTC. It may be wrong, and it may jump: durations use `time.monotonic`."""


def utc_now() -> datetime:
    """Return the machine's wall clock."""
    return datetime.now(UTC)  # noqa: TID251 the clock that is passed to everybody else
