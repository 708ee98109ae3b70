"""Now and then an embedding of a camera's picture, from a thread that may wait for the engine."""

import queue
import threading
from collections.abc import Callable
from typing import NamedTuple

from processing.inference.detector import Detector, Embedding, InferenceFailed
from processing.vision.frame import Frame


class _Job(NamedTuple):
    engine: Detector
    frame: Frame
    done: Callable[[Embedding], None]


class Embedder:
    """Any thread may ask. One that asks while another is served is not served: the next is."""

    def __init__(self) -> None:
        self._jobs: queue.Queue[_Job | None] = queue.Queue(maxsize=1)
        self._thread = threading.Thread(target=self._run, name="embedder", daemon=True)
        self._thread.start()

    def ask(self, engine: Detector, frame: Frame, done: Callable[[Embedding], None]) -> bool:
        """Return whether `done` will be told of the frame's embedding, if it has one."""
        try:
            self._jobs.put_nowait(_Job(engine, frame, done))
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
                embedding = job.engine.embed(job.frame)
            except InferenceFailed:
                continue  # the frames that it is asked to judge fail as well, and are counted
            if embedding is not None:
                job.done(embedding)
