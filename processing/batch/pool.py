"""Judging on this machine: threads that decode and ask one engine, behind whatever is urgent."""

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, NamedTuple, Self

from processing.batch.judging import failed, judge_picture
from processing.inference.detector import Detector
from processing.wire.batch import PictureOutcome

NICENESS: Final = 10
"""How far its threads step back behind others (0..19)."""


class Unread(NamedTuple):
    """A picture whose bytes could not be had, and why, in words."""

    words: str


class LocalPool:
    """One engine and the threads that feed it; a context manager.

    The engine is opened by a thread that has stepped back already: the runtime's own threads, which
    it starts, inherit that, so that a batch takes only what serving leaves.
    """

    def __init__(
        self, open_detector: Callable[[], Detector], *, n_threads: int, niceness: int = NICENESS
    ) -> None:
        """Open the detector; whatever that raises comes through."""
        self._n_ahead = 2 * n_threads
        self._threads = ThreadPoolExecutor(
            n_threads, "batch", initializer=_step_back, initargs=(niceness,)
        )
        try:
            self._detector = self._threads.submit(open_detector).result()
        except BaseException:
            self._threads.shutdown()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Finish what is under way, and free everything."""
        self._threads.shutdown()
        self._detector.close()

    def judge(
        self, pictures: Iterable[bytes | Unread], *, min_score: float
    ) -> Generator[PictureOutcome]:
        """Yield what came of each picture, in their order.

        Pictures are taken as there is room: never more in memory than two a thread. Whoever stops
        listening early loses what was under way, and nothing else.
        """
        window: deque[Future[PictureOutcome]] = deque()
        try:
            for picture in pictures:
                if len(window) == self._n_ahead:
                    yield window.popleft().result()
                window.append(self._threads.submit(self._outcome, picture, min_score))
            while window:
                yield window.popleft().result()
        finally:
            for waiting in window:
                waiting.cancel()

    def _outcome(self, picture: bytes | Unread, min_score: float) -> PictureOutcome:
        if isinstance(picture, Unread):
            return failed(picture.words)
        return judge_picture(picture, self._detector, min_score=min_score)


def _step_back(niceness: int) -> None:
    """Make the calling thread nicer than its process; only Linux knows threads apart."""
    if hasattr(os, "setpriority"):
        own = threading.get_native_id()
        os.setpriority(
            os.PRIO_PROCESS, own, min(os.getpriority(os.PRIO_PROCESS, own) + niceness, 19)
        )
