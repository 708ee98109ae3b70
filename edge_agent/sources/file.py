"""A video file as a camera: it plays at its own speed, again and again, never the same instant."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from edge_agent.clock import Clock
from processing.media.decode import Decoder, video_file
from processing.media.packets import PacketTap
from processing.vision.frame import Frame

_FALLBACK_FPS: Final = 25.0
_LONGEST_STILL_S: Final = 5.0
"""A longer pause between two pictures is taken for damage."""
_MOST_LAG_S: Final = 1.0
"""Behind by more (a slow machine, one that slept), play from now on instead of catching up."""


class PlayedFile:
    """A `Feed` of a file, and the `Passage` of its packets."""

    def __init__(self, path: Path, *, now: Clock, tap: PacketTap | None = None) -> None:
        self._source = video_file(path)
        self._now = now
        self._tap = tap

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """See `Feed`. Every pass is a new stretch of time, right after the one before."""
        last_at: datetime | None = None
        while not stop.is_set():
            player = _Player(self._now())
            with Decoder(self._source, tap=self._tap, stamp=player.instant_of) as decoder:
                interval_s = 1.0 / (decoder.fps or _FALLBACK_FPS)
                player.begin(last_at, interval_s=interval_s)
                for picture in decoder:
                    last_at = player.next_at(picture.at_s)
                    if stop.wait(player.early_s()):
                        return
                    yield Frame.of(picture.planes, captured_at=last_at)
                stop.wait(interval_s)  # what the last picture lasts

    def packets(self, stop: threading.Event) -> Iterator[None]:
        """See `Passage`. They come as they would be shown, pass after pass."""
        last_at: datetime | None = None
        while not stop.is_set():
            player = _Player(self._now())
            with Decoder(self._source, tap=self._tap, stamp=player.instant_of) as decoder:
                interval_s = 1.0 / (decoder.fps or _FALLBACK_FPS)
                player.begin(last_at, interval_s=interval_s)
                for at_s in decoder.pass_packets():
                    last_at = player.next_at(at_s)
                    if stop.wait(player.early_s()):
                        return
                    yield
                stop.wait(interval_s)


class _Player:
    """One pass: which instant each picture has, and when to show it."""

    def __init__(self, at: datetime) -> None:
        self._interval_s = 1.0 / _FALLBACK_FPS
        self._at = at
        self._due = time.monotonic()
        self._shown_s: float | None = None

    def begin(self, after: datetime | None, *, interval_s: float) -> None:
        """Leave the pass before its time; call once, first."""
        self._interval_s = interval_s
        if after is not None:
            self._move(max(0.0, (after - self._at).total_seconds() + interval_s))

    def instant_of(self, at_s: float) -> datetime:
        """Return the instant of a packet, from that of the newest picture; see `Stamp`."""
        step = 0.0 if self._shown_s is None else at_s - self._shown_s
        if abs(step) > _LONGEST_STILL_S:
            step = 0.0
        return self._at + timedelta(seconds=step)

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
