"""The clock of a clip: it begins at 0 with the first picture, whatever clocks the camera had."""

from heapq import heappop, heappush
from typing import Final, NamedTuple

from processing.media.clip_packets import EncodedPicture

TICKS: Final = 90_000
"""A second, as RTP counts for video (RFC 3551)."""
_MOST_REORDERED: Final = 16
"""Pictures that may be sent before one that is shown first (ITU-T H.264, A.3.1)."""
_FALLBACK_TICKS: Final = TICKS // 25
_LONGEST_TICKS: Final = TICKS
"""What the last picture of a clip lasts, at the most."""


class Placed(NamedTuple):
    """A picture, and when it is decoded and shown, in ticks since the clip's begin."""

    picture: EncodedPicture
    decoded: int
    shown: int
    lasts: int


class ClipClock:
    """Gives every picture its time to decode and its time to show.

    Cameras often tell the time to show only. Times to decode are those same times in order, all
    moved forward until none is decoded after it is shown.
    """

    def __init__(self, first: EncodedPicture) -> None:
        self._first: Final = first
        self._stretch = first.stretch
        self._zero_s = first.time_s
        """What the camera's clock shows when the clip's shows 0."""
        self._waiting: list[tuple[EncodedPicture, int]] = []
        self._times: list[int] = []
        self._early: int | None = None
        self._decoded: int | None = None
        self._interval = _FALLBACK_TICKS
        self._latest = 0

    @property
    def end(self) -> int:
        """Return the ticks from the first picture to the end of the last that was added."""
        return self._latest + self._interval

    def add(self, picture: EncodedPicture) -> list[Placed]:
        """Take the next picture; return those whose times are certain now."""
        if picture.stretch != self._stretch:
            self._begin_stretch(picture)
        shown = round((picture.time_s - self._zero_s) * TICKS)
        if shown < 0 or shown in self._times:
            return []  # it needs pictures from before the first, or comes twice
        self._latest = max(self._latest, shown)
        self._waiting.append((picture, shown))
        heappush(self._times, shown)
        return self._release() if len(self._waiting) > _MOST_REORDERED else []

    def finish(self) -> list[Placed]:
        """Return the rest."""
        rest: list[Placed] = []
        while self._waiting:
            rest += self._release()
        return rest

    def _begin_stretch(self, picture: EncodedPicture) -> None:
        """Go on after a gap: as long a gap as it was, or none where the clock of ours went back."""
        if self._decoded is None and len(self._times) > 1:
            *_, last_but_one, last = sorted(self._times)
            self._interval = min(last - last_but_one, _LONGEST_TICKS)
        since = round((picture.at - self._first.at).total_seconds() * TICKS)
        self._zero_s = picture.time_s - max(since, self.end) / TICKS
        self._stretch = picture.stretch

    def _release(self) -> list[Placed]:
        if self._early is None:
            pairs = zip(sorted(self._times), self._waiting, strict=True)
            self._early = max(when - shown for when, (_, shown) in pairs)
        # Streams that begin in order may go on out of order: leave room for all that wait.
        room = min(shown - n for n, (_, shown) in enumerate(self._waiting))
        decoded = min(heappop(self._times) - self._early, room)
        picture, shown = self._waiting.pop(0)
        if self._decoded is not None:
            step = decoded - self._decoded
            if step <= 0:
                return []  # more is out of order than any stream may have
            self._interval = min(step, _LONGEST_TICKS)
        self._decoded = decoded
        return [Placed(picture, decoded, shown, self._interval)]
