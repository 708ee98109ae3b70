"""A video file as a camera: it plays at its own speed, again and again, never the same instant."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from edge_agent.clock import Clock
from processing.media.decode import Decoder, video_file
from processing.vision.frame import Frame

_FALLBACK_FPS: Final = 25.0
_LONGEST_STILL_S: Final = 5.0
"""A longer pause between two pictures is taken for damage."""
_MOST_LAG_S: Final = 1.0
"""Behind by more (a slow machine, one that slept), play from now on instead of catching up."""


class PlayedFile:
    """A `Feed` of a file."""

    def __init__(self, path: Path, *, now: Clock) -> None:
        self._source = video_file(path)
        self._now = now

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """See `Feed`. Every pass is a new stretch of time, right after the one before."""
        last_at: datetime | None = None
        while not stop.is_set():
            with Decoder(self._source) as decoder:
                interval_s = 1.0 / (decoder.fps or _FALLBACK_FPS)
                player = _Player(self._now(), last_at, interval_s=interval_s)
                for picture in decoder:
                    last_at = player.next_at(picture.at_s)
                    if stop.wait(player.early_s()):
                        return
                    yield Frame.of(picture.planes, captured_at=last_at)
                stop.wait(interval_s)  # what the last picture lasts


class _Player:
    """One pass: which instant each picture has, and when to show it."""

    def __init__(self, at: datetime, after: datetime | None, *, interval_s: float) -> None:
        self._interval_s = interval_s
        earliest = after + timedelta(seconds=interval_s) if after else at
        self._at = max(at, earliest)
        self._due = time.monotonic() + max(0.0, (earliest - at).total_seconds())
        self._shown_s: float | None = None

    def next_at(self, at_s: float) -> datetime:
        """Return the instant of the next picture, which the file shows at `at_s`."""
        if self._shown_s is not None:
            step = at_s - self._shown_s
            if not 0.0 < step <= _LONGEST_STILL_S:
                step = self._interval_s
            self._move(step)
        self._shown_s = at_s
        lag = time.monotonic() - self._due
        if lag > _MOST_LAG_S:
            self._move(lag)
        return self._at

    def early_s(self) -> float:
        """Return how long to wait before showing it."""
        return max(0.0, self._due - time.monotonic())

    def _move(self, seconds: float) -> None:
        self._due += seconds
        self._at += timedelta(seconds=seconds)
