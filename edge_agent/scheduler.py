"""Gives cameras turns on the one engine: fairly, and never more than it can take at once."""

import queue
import threading
from collections import deque
from typing import Final, Protocol

_RETRY_S: Final = 0.004
"""After the engine was busy: it is free again a moment after it says that a frame is done."""
_RETRY_MOST_S: Final = 0.032
"""It may become free without a word, but seldom: whoever asks too often keeps it from working."""


class Turn(Protocol):
    """One camera, as seen from here."""

    def use(self) -> bool | None:
        """Submit the frame that waits. None: there is none. False: the engine is busy."""


class Scheduler:
    """Round and round over the cameras, one frame each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: deque[Turn] = deque()
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._has_rung = False
        """And was not heard yet."""
        self._is_busy = False
        """The engine had no room for a frame when it was asked last."""
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self._thread.start()

    def add(self, turn: Turn) -> None:
        with self._lock:
            self._turns.append(turn)

    def remove(self, turn: Turn) -> None:
        with self._lock:
            self._turns.remove(turn)

    def offer(self) -> None:
        """Say that a frame waits. While the engine is busy that is no news."""
        if not self._is_busy:
            self.wake()

    def wake(self) -> None:
        """Say that the engine has finished a frame, or that a frame waits."""
        if not self._has_rung:
            self._has_rung = True
            self._bell.put(None)

    def close(self) -> None:
        """Give no more turns."""
        self._is_closing = True
        self._bell.put(None)
        self._thread.join()

    def _run(self) -> None:
        retry_s = _RETRY_S
        while True:
            try:
                self._bell.get(timeout=retry_s if self._is_busy else None)
                retry_s = _RETRY_S
            except queue.Empty:
                retry_s = min(2.0 * retry_s, _RETRY_MOST_S)
            # Both before the round: what is said during it is heard after it.
            self._has_rung = self._is_busy = False
            if self._is_closing:
                return
            self._is_busy = self._give_turns()

    def _give_turns(self) -> bool:
        """Give turns until no frame waits (False) or the engine is busy (True)."""
        n_idle = 0
        while turn := self._next():
            match turn.use():
                case None:
                    n_idle += 1
                    if n_idle >= len(self._turns):
                        return False
                case True:
                    n_idle = 0
                case False:
                    self._put_first(turn)
                    return True
        return False

    def _next(self) -> Turn | None:
        with self._lock:
            if not self._turns or self._is_closing:
                return None
            self._turns.rotate(-1)
            return self._turns[-1]

    def _put_first(self, turn: Turn) -> None:
        """Let a camera that found the engine busy be the next, and not wait another round."""
        with self._lock:
            if turn in self._turns:
                self._turns.remove(turn)
                self._turns.appendleft(turn)
