"""Makes JPEGs on a thread of its own: to keep, each one; for who looks, the newest.

No picture leaves this machine but through here, so here is where what must be hidden is; those for
the cloud are covered by the same `Exposure` (`edge_agent.overflow.cloud`).
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple
from uuid import UUID

import structlog

from processing.media.jpeg import BadPicture, encode_jpeg, jpeg_size
from processing.pipeline.privacy import Exposure
from processing.vision.frame import Frame
from processing.wire.limits import MAX_PICTURE_BYTES

_QUALITIES: Final = (80, 65, 45, 30)
_MIN_WIDTH: Final = 160
_MAX_KEPT: Final = 8
"""Frames kept alive while they wait; more than a slow disk or CPU can take are dropped."""

log = structlog.get_logger()


class Developed:
    """A JPEG and its size."""

    __slots__ = ("height", "jpeg", "width")

    def __init__(self, jpeg: bytes, width: int, height: int) -> None:
        self.jpeg = jpeg
        self.width = width
        self.height = height


def develop(
    frame: Frame, *, max_width: int | None = None, max_bytes: int = MAX_PICTURE_BYTES
) -> Developed | None:
    """Return the frame as a JPEG of at most `max_bytes`: first coarser, then smaller."""
    width = min(max_width or frame.width, frame.width)
    least = min(_MIN_WIDTH, width)
    while width >= least:
        for quality in _QUALITIES:
            jpeg = encode_jpeg(frame, max_width=width, quality=quality)
            if len(jpeg) <= max_bytes:
                return Developed(jpeg, *jpeg_size(frame.width, frame.height, max_width=width))
        width = width * 2 // 3
    return None


class Darkroom:
    """Takes jobs from the thread that must not wait."""

    def __init__(self, *, on_dropped: Callable[[UUID], None]) -> None:
        self._on_dropped = on_dropped
        self._changed = threading.Condition()
        self._kept: deque[_Job] = deque()
        self._live: dict[UUID, _Job] = {}
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="darkroom", daemon=True)
        self._thread.start()

    def keep(
        self,
        camera_id: UUID,
        exposure: Exposure,
        done: Callable[[Developed], None],
        *,
        max_width: int | None = None,
    ) -> None:
        """Develop a picture, whole unless it is said otherwise, unless too many wait."""
        with self._changed:
            if len(self._kept) < _MAX_KEPT:
                self._kept.append(_Job(exposure, max_width, done))
                self._changed.notify()
                return
        self._on_dropped(camera_id)

    def show(
        self,
        camera_id: UUID,
        exposure: Exposure,
        max_width: int,
        done: Callable[[Developed], None],
    ) -> None:
        """Develop a small picture, unless a newer one of the camera comes first."""
        with self._changed:
            self._live[camera_id] = _Job(exposure, max_width, done)
            self._changed.notify()

    def close(self) -> None:
        """Develop what is to be kept, and end."""
        with self._changed:
            self._is_closing = True
            self._live.clear()
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._live or self._kept or self._is_closing)
                if self._live:
                    job = self._live.pop(next(iter(self._live)))
                elif self._kept:
                    job = self._kept.popleft()
                else:
                    return
            _develop_and_tell(job)


class _Job(NamedTuple):
    """A picture to develop, and who waits for it."""

    exposure: Exposure
    max_width: int | None
    done: Callable[[Developed], None]


def _develop_and_tell(job: _Job) -> None:
    try:
        developed = develop(job.exposure.covered(), max_width=job.max_width)
    except BadPicture as error:
        log.warning("picture.refused", reason=str(error))
        return
    if developed is not None:
        job.done(developed)
