"""What waits to be published through Redis: in order, bounded, the newest kept."""

import asyncio
from collections import deque
from typing import Final

MAX_BYTES: Final = 8 * 2**20
"""About a second of thirty cameras' video. What is older is stale anyway."""
_FLIGHT_BYTES: Final = 2**20


class Sending:
    """A queue of messages and their channels; lives on the event loop."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[bytes, bytes]] = deque()
        self._n_bytes = 0
        self._arrived = asyncio.Event()
        self.n_dropped = 0

    def put(self, channel: bytes, data: bytes) -> None:
        """Add a message; the oldest are dropped when there are too many."""
        self._waiting.append((channel, data))
        self._n_bytes += len(data)
        while self._n_bytes > MAX_BYTES:
            self._pop()
            self.n_dropped += 1
        self._arrived.set()

    async def take(self) -> list[tuple[bytes, bytes]]:
        """Wait for messages and return the oldest, as many as may travel at once."""
        await self._arrived.wait()
        taken: list[tuple[bytes, bytes]] = []
        n_bytes = 0
        while self._waiting and n_bytes < _FLIGHT_BYTES:
            taken.append(self._pop())
            n_bytes += len(taken[-1][1])
        if not self._waiting:
            self._arrived.clear()
        return taken

    def clear(self) -> None:
        """Drop everything: it waited while nobody could take it."""
        self.n_dropped += len(self._waiting)
        self._waiting.clear()
        self._n_bytes = 0
        self._arrived.clear()

    def _pop(self) -> tuple[bytes, bytes]:
        message = self._waiting.popleft()
        self._n_bytes -= len(message[1])
        return message
