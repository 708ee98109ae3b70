"""Gives cameras turns on the one engine: fairly, and never more than it can take at once."""

import threading
from collections import deque
from typing import Final, Protocol

_RETRY_S: Final = 0.004
"""After the engine was busy: it is free again a moment after it says that a frame is done."""


class Turn(Protocol):
    """One camera, as seen from here."""

    def use(self) -> bool | None:
        """Submit the frame that waits. None: there is none. False: the engine is busy."""


class Scheduler:
    """Round and round over the cameras, one frame each."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._turns: deque[Turn] = deque()
        self._has_news = False
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self._thread.start()

    def add(self, turn: Turn) -> None:
        with self._changed:
            self._turns.append(turn)

    def remove(self, turn: Turn) -> None:
        with self._changed:
            self._turns.remove(turn)

    def wake(self) -> None:
        """Say that a frame waits, or that the engine has finished one."""
        with self._changed:
            self._has_news = True
            self._changed.notify()

    def close(self) -> None:
        """Give no more turns."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        is_busy = False
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._has_news or self._is_closing,
                    timeout=_RETRY_S if is_busy else None,
                )
                self._has_news = False
                if self._is_closing:
                    return
            is_busy = self._give_turns()

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
        with self._changed:
            if not self._turns or self._is_closing:
                return None
            self._turns.rotate(-1)
            return self._turns[-1]

    def _put_first(self, turn: Turn) -> None:
        """Let a camera that found the engine busy be the next, and not wait another round."""
        with self._changed:
            if turn in self._turns:
                self._turns.remove(turn)
                self._turns.appendleft(turn)
