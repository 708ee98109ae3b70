"""Tells on time that something is late, whatever hangs elsewhere."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Final, TypeAlias

_Due: TypeAlias = tuple[float, int, Callable[[], None]]


class Deadlines:
    """One thread for all; what it calls must return quickly and never raise."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: list[_Due] = []
        self._numbers: Final = itertools.count()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
        self._thread.start()

    def at(self, instant: float, call: Callable[[], None]) -> None:
        """Call this at a monotonic instant."""
        with self._changed:
            heapq.heappush(self._due, (instant, next(self._numbers), call))
            if self._due[0][0] == instant:
                self._changed.notify()

    def close(self) -> None:
        """Call nothing any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while (call := self._next()) is not None:
            call()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._is_closed:
                wait_s = self._due[0][0] - time.monotonic() if self._due else None
                if wait_s is not None and wait_s <= 0.0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait_s)
        return None
