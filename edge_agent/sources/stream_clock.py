"""A stream's own clock on ours: when a picture was filmed, without what the network added.

A stream tells exactly how far apart its pictures are, but not from when; a packet's arrival tells
when, but late by however long the network took. The packet that was least late of late gives the
offset between the two, and every other one is dated back by what it was later than that.

All of it is in seconds of clocks that nobody sets, so that one who sets the machine's wall clock
changes what is stamped from then on, and nothing else.
"""

from collections import deque
from datetime import datetime, timedelta
from typing import Final

_MEMORY_S: Final = 10.0
"""Of the least late packet. Quartz drifts by a millisecond in this time; a route that got longer
is believed after it."""
_OUT_OF_ORDER_S: Final = 0.5
"""Pictures are sent in the order of decoding. One that is shown earlier by more is of a clock that
was set back: the camera began anew."""
_MOST_LATE_S: Final = 5.0
"""Whatever is later than this was not held up by a network: its clock stood still."""
_LEAST_STEP: Final = timedelta(microseconds=1)
_CLOCK_WENT_BACK: Final = timedelta(seconds=1)


class StreamClock:
    """Of one connection. `at_s` is the stream's time, `now_s` a monotonic clock's; any origin."""

    def __init__(self) -> None:
        self._offsets: deque[tuple[float, float]] = deque()
        """(now_s, now_s - at_s) of packets, each less late than all before it in the memory."""
        self._newest_s = float("-inf")
        self._let_go_s: float | None = None

    def arrived(self, at_s: float, now_s: float) -> None:
        """Learn from a packet that has just come."""
        offset = now_s - at_s
        if at_s < self._newest_s - _OUT_OF_ORDER_S or self._lateness(offset) > _MOST_LATE_S:
            self._offsets.clear()
            self._newest_s = at_s
        self._newest_s = max(self._newest_s, at_s)
        while self._offsets and self._offsets[-1][1] >= offset:
            self._offsets.pop()
        self._offsets.append((now_s, offset))
        while self._offsets[0][0] < now_s - _MEMORY_S:
            self._offsets.popleft()

    def let_go(self, at_s: float, now_s: float) -> None:
        """Learn from a packet that came before, and was held until the next one began to come.

        So what it says of the network is when the packet before it was let go.
        """
        self.arrived(at_s, now_s if self._let_go_s is None else self._let_go_s)
        self._let_go_s = now_s

    def age_s(self, at_s: float, now_s: float) -> float:
        """Return how long ago what the stream shows at `at_s` was filmed; 0 to 5 seconds.

        The shortest way through the network counts as none: nobody can tell it.
        """
        return min(max(0.0, self._lateness(now_s - at_s)), _MOST_LATE_S)

    def _lateness(self, offset: float) -> float:
        return offset - self._offsets[0][1] if self._offsets else 0.0


class Increasing:
    """Makes instants of one stream strictly increasing, unless the wall clock was put back."""

    def __init__(self) -> None:
        self._last: datetime | None = None

    def next(self, at: datetime) -> datetime:
        """Return the instant, or the first possible one after the last returned.

        A clock that goes back by more than a second was set right: time is new after it.
        """
        last = self._last
        if last is not None and last - _CLOCK_WENT_BACK < at <= last:
            at = last + _LEAST_STEP
        self._last = at
        return at
