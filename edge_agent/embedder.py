"""Now and then an embedding of a camera's picture, from a thread that may wait for the engine."""

import queue
import threading
from collections.abc import Callable
from typing import Final, NamedTuple

from processing.inference.detector import Detector, Embedding, InferenceFailed
from processing.media.jpeg import BadPicture
from processing.vision.frame import Frame

_MOST_WAITING: Final = 4
"""Frames kept alive while another is on the engine."""


class _Job(NamedTuple):
    engine: Detector
    take: Callable[[], Frame]
    done: Callable[[Embedding | None], None]


class Embedder:
    """Any thread may ask. While too many wait, who asks is refused."""

    def __init__(self) -> None:
        self._jobs: queue.Queue[_Job | None] = queue.Queue(maxsize=_MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="embedder", daemon=True)
        self._thread.start()

    def ask(
        self,
        engine: Detector,
        take: Callable[[], Frame],
        done: Callable[[Embedding | None], None],
    ) -> bool:
        """Return whether `done` will be told of a frame's embedding, None if there is none.

        Both are called on another thread; `take` returns the frame, and may take its time.
        """
        try:
            self._jobs.put_nowait(_Job(engine, take, done))
        except queue.Full:
            return False
        return True

    def close(self, timeout_s: float) -> None:
        """End, but do not wait longer than that: an engine may hang."""
        try:
            self._jobs.put(None, timeout=timeout_s)
        except queue.Full:
            return
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                embedding = job.engine.embed(job.take())
            except (InferenceFailed, BadPicture):
                embedding = None  # the frames that it is asked to judge fail as well: counted there
            job.done(embedding)
