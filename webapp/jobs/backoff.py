"""How long to wait before trying again what failed."""

from collections.abc import Callable
from datetime import timedelta
from secrets import SystemRandom
from typing import Final

FIRST: Final = timedelta(seconds=5)
LONGEST: Final = timedelta(minutes=10)
_chance: Final = SystemRandom().random


def pause_after(n_failures: int, *, chance: Callable[[], float] = _chance) -> timedelta:
    """Return the pause after so many failures in a row: doubled each time, at most `LONGEST`.

    Between half of it and all of it, by `chance` (0..1), so that what failed together does not
    come back together.
    """
    doublings = min(max(n_failures - 1, 0), 20)
    return min(FIRST * (1 << doublings), LONGEST) * (0.5 + 0.5 * chance())
