"""The newest frame of one camera, waiting for the engine. There is never a second one."""

import threading
from collections.abc import Callable

from processing.vision.frame import Frame


class Slot:
    """Latest wins: between a camera and the engine no queue can form, so no result is old news."""

    def __init__(self, *, on_dropped: Callable[[], None], on_put: Callable[[], None]) -> None:
        self._on_dropped = on_dropped
        self._on_put = on_put
        self._lock = threading.Lock()
        self._frame: Frame | None = None

    def put(self, frame: Frame) -> None:
        """Offer a frame; one that nobody has taken yet is dropped for it."""
        with self._lock:
            dropped, self._frame = self._frame, frame
        if dropped is not None:
            self._on_dropped()
        self._on_put()

    def take(self) -> Frame | None:
        """Return the frame that waits, if any; it is the caller's now."""
        with self._lock:
            frame, self._frame = self._frame, None
        return frame

    def give_back(self, frame: Frame) -> None:
        """Put back what could not be used; a newer frame that came meanwhile wins."""
        with self._lock:
            if self._frame is None:
                self._frame = frame
                return
        self._on_dropped()
