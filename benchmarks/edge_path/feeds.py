"""Frames as fast as somebody takes them."""

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


class DecodedAsFastAsTaken:
    """A `Feed` that decodes a file again and again."""

    def __init__(self, path: Path) -> None:
        self._source = video_file(path)

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """See `edge_agent.sources.feed.Feed`."""
        at = _BEGIN
        while not stop.is_set():
            with Decoder(self._source) as decoder:
                for picture in decoder:
                    if stop.is_set():
                        return
                    at += _APART
                    yield Frame.of(picture.planes, captured_at=at)


class AlreadyDecoded:
    """A `Feed` of pictures in memory."""

    def __init__(self, pictures: list[Planes]) -> None:
        self._pictures = pictures

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """See `edge_agent.sources.feed.Feed`."""
        at = _BEGIN
        for planes in cycle(self._pictures):
            if stop.is_set():
                return
            at += _APART
            yield Frame.of(planes, captured_at=at)
