"""The rest that a rule keeps after an event."""

from datetime import datetime, timedelta


class Quiet:
    """Call `is_over` with the instant of every frame: a clock that goes back prolongs no rest."""

    def __init__(self, seconds: float) -> None:
        self._rest = timedelta(seconds=seconds)
        self._until: datetime | None = None

    def begin(self, at: datetime) -> None:
        """Rest from then on."""
        self._until = at + self._rest

    def is_over(self, at: datetime) -> bool:
        """Return whether the rule may raise an event again."""
        if self._until is None:
            return True
        self._until = min(self._until, at + self._rest)
        return at >= self._until
