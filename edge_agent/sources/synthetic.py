"""A camera that is not there: a grey picture with a white square that wanders."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from edge_agent.clock import Clock
from processing.vision.frame import Frame


class SyntheticFeed:
    """A `Feed` for tests, and to try an agent without a camera."""

    def __init__(
        self, *, now: Clock, fps: float = 10.0, width: int = 320, height: int = 240
    ) -> None:
        self._now = now
        self._fps = fps
        self._width = width
        self._height = height

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """See `Feed`."""
        begun_at, begun = self._now(), time.monotonic()
        n = 0
        while not stop.wait(max(0.0, begun + n / self._fps - time.monotonic())):
            yield self._picture(n, begun_at + timedelta(seconds=n / self._fps))
            n += 1

    def _picture(self, n: int, captured_at: datetime) -> Frame:
        side = self._height // 4
        x, y = n * 4 % (self._width - side), n * 2 % (self._height - side)
        luma = np.full((self._height, self._width), 96, np.uint8)
        luma[y : y + side, x : x + side] = 235
        chroma = np.full(((self._height + 1) // 2, (self._width + 1) // 2), 128, np.uint8)
        return Frame(y=luma, u=chroma, v=chroma, captured_at=captured_at)
