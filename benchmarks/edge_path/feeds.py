"""Frames as fast as the engine takes them."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Final

from processing.media.decode import Decoder, video_file
from processing.vision.frame import Frame, Planes

_APART: Final = timedelta(milliseconds=10)
_BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)


class Turnstile:
    """Lets a frame in for every one that is a result, or was dropped; `places` at a time."""

    def __init__(self, places: int) -> None:
        self._places = threading.Semaphore(places)

    def enter(self, stop: threading.Event) -> bool:
        """Wait for a place; return False if `stop` was set meanwhile."""
        while not self._places.acquire(timeout=0.1):
            if stop.is_set():
                return False
        return not stop.is_set()

    def leave(self) -> None:
        self._places.release()


class DecodedAsFastAsTaken:
    """A `Feed` that decodes a file again and again."""

    def __init__(self, path: Path, turnstile: Turnstile) -> None:
        self._source = video_file(path)
        self._turnstile = turnstile

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """See `edge_agent.sources.feed.Feed`."""
        at = _BEGIN
        while not stop.is_set():
            with Decoder(self._source) as decoder:
                for picture in decoder:
                    if not self._turnstile.enter(stop):
                        return
                    at += _APART
                    yield Frame.of(picture.planes, captured_at=at)


class AlreadyDecoded:
    """A `Feed` of pictures in memory."""

    def __init__(self, pictures: list[Planes], turnstile: Turnstile) -> None:
        self._pictures = pictures
        self._turnstile = turnstile

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """See `edge_agent.sources.feed.Feed`."""
        at = _BEGIN
        for planes in cycle(self._pictures):
            if not self._turnstile.enter(stop):
                return
            at += _APART
            yield Frame.of(planes, captured_at=at)
