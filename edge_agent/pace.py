"""Thins out frames to a rate."""

from datetime import datetime, timedelta


class Pace:
    """Picks at most `fps` frames a second, as evenly as the source allows."""

    def __init__(self, fps: float) -> None:
        self._interval = timedelta(seconds=1.0 / fps)
        self._due: datetime | None = None
        self._last: datetime | None = None

    def wants(self, at: datetime) -> bool:
        """Return whether to take the frame of this instant; call once a frame, in order."""
        due, last = self._due, self._last
        self._last = at
        is_new_time = last is not None and at < last
        if due is None or last is None or is_new_time or at >= due + self._interval:
            self._due = at + self._interval
            return True
        # The frame nearest to the instant it is due, so that 25 a second give 10 and not 8.
        if at + (at - last) / 2 < due:
            return False
        self._due = due + self._interval
        return True
