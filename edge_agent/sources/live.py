"""RTSP, HTTP and USB cameras: frames are stamped when they arrive."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from edge_agent.clock import Clock
from processing.media.decode import Decoder, Source
from processing.vision.frame import Frame

_BACKLOG_S: Final = 1.0
"""So long after connecting, pictures that come faster than the camera makes them are old ones."""
_FALLBACK_FPS: Final = 25.0
_LEAST_STEP: Final = timedelta(microseconds=1)
_CLOCK_WENT_BACK: Final = timedelta(seconds=1)


class LiveFeed:
    """A `Feed` of a camera. The stream's own clock starts anywhere, so ours stamps."""

    def __init__(self, source: Source, *, now: Clock) -> None:
        self._source = source
        self._now = now

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """See `Feed`."""
        last_at = None
        with Decoder(self._source) as decoder:
            backlog = _Backlog(decoder.fps or _FALLBACK_FPS)
            for picture in decoder:
                if stop.is_set():
                    return
                if backlog.holds(time.monotonic()):
                    continue
                at = self._now()
                # A small step back of the clock is smoothed over; after a large one time is new.
                if last_at is not None and last_at - _CLOCK_WENT_BACK < at <= last_at:
                    at = last_at + _LEAST_STEP
                last_at = at
                yield Frame.of(picture.planes, captured_at=at)


class _Backlog:
    """Tells the pictures that a camera had ready when we joined from those it makes now."""

    def __init__(self, fps: float) -> None:
        self._quick_s = 0.5 / fps
        self._until: float | None = None
        self._last = 0.0

    def holds(self, at: float) -> bool:
        """Return whether the picture that arrives at this monotonic instant is an old one."""
        if self._until is None:
            self._until, self._last = at + _BACKLOG_S, at
            return False
        is_quick = at - self._last < self._quick_s and at < self._until
        self._last = at
        return is_quick
