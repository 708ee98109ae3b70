"""The line at the door: sockets wait for their turn before they are taken, where it costs least.

An agent waits 10 s for its socket to be taken, and then only 5 s for its welcome. So few are
greeted at a time, whoever came first is first, and who has hung up meanwhile costs nothing more.
"""

import asyncio
from collections import deque
from typing import Final

from asgiref.typing import ASGIReceiveCallable

MOST_GREETED: Final = 48
"""Sockets at a time that are taken and not let in yet: one group of admissions, and half of one."""
MOST_WAITING: Final = 4_096
"""Sockets in the line; a waiting one costs some 20 KiB, its request included."""
PATIENCE_S: Final = 8.0
"""Who has waited so long is sent away: soon it would leave, and be greeted for nothing."""


class Line:
    """Places to be greeted at, and who waits for one; lives on the event loop."""

    def __init__(self) -> None:
        self._n_greeted = 0
        self._waiting: deque[asyncio.Future[object]] = deque()

    async def enter(self, receive: ASGIReceiveCallable) -> bool:
        """Wait for a place, to be given back by `leave`; return whether there is one.

        Until then nothing but a hang-up comes from `receive`: the socket is not taken yet.
        """
        if self._n_greeted < MOST_GREETED and not self._waiting:
            self._n_greeted += 1
            return True
        if len(self._waiting) >= MOST_WAITING:
            return False
        turn: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        hang_up: asyncio.Future[object] = asyncio.ensure_future(receive())
        is_in = False
        try:
            await asyncio.wait(
                (turn, hang_up), timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED
            )
            is_in = turn.done() and not hang_up.done()
        finally:
            hang_up.cancel()
            if not turn.done():
                self._waiting.remove(turn)
            elif not is_in:
                self.leave()
        return is_in

    def leave(self) -> None:
        """Give a place back; whoever waits longest has it."""
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._n_greeted -= 1
