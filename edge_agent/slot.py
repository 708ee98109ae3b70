"""The newest frame of one camera, waiting for the engine. There is never a second one."""

import threading
from collections.abc import Callable
from typing import Protocol

from processing.vision.frame import Frame


class FrameSink(Protocol):
    """Takes a camera's frames."""

    def put(self, frame: Frame) -> None: ...


class Slot:
    """Latest wins: between a camera and the engine no queue can form, so no result is old news.

    A recording is no camera: nothing of it is late, and a patient slot makes it wait instead.
    """

    def __init__(
        self,
        *,
        on_dropped: Callable[[Frame], None],
        on_put: Callable[[], None],
        is_patient: bool = False,
    ) -> None:
        self._on_dropped = on_dropped
        self._on_put = on_put
        self._is_patient = is_patient
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._is_taken = False
        """A frame was taken, and may be given back."""
        self._is_closed = False

    def put(self, frame: Frame) -> None:
        """Offer a frame; one that nobody has taken yet is dropped for it, unless we are patient."""
        with self._changed:
            if self._is_patient:
                self._changed.wait_for(self._has_room)
            dropped, self._frame = self._frame, frame
        if dropped is not None:
            self._on_dropped(dropped)
        self._on_put()

    def take(self) -> Frame | None:
        """Return the frame that waits, if any; say afterwards whether it was of use."""
        with self._changed:
            frame, self._frame = self._frame, None
            self._is_taken = frame is not None
        return frame

    def used(self) -> None:
        """Say that the frame that was taken is on its way."""
        with self._changed:
            self._is_taken = False
            self._changed.notify()

    def give_back(self, frame: Frame) -> None:
        """Put back what could not be used; a newer frame that came meanwhile wins."""
        with self._changed:
            self._is_taken = False
            if self._frame is None:
                self._frame = frame
                return
        self._on_dropped(frame)

    def close(self) -> None:
        """Let nobody wait any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def _has_room(self) -> bool:
        return self._is_closed or (self._frame is None and not self._is_taken)
