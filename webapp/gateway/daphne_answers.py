"""Daphne's answers, sent no faster than they are read, and whole or plainly broken off.

Daphne itself takes all that an application says into memory, ends what takes long as if that were
all of it, and ends what an application broke off in no way at all.
"""

import asyncio
from typing import Any, Final

import daphne.http_protocol
from twisted.python.failure import Failure

STALL_TIMEOUT_S: Final = 60.0
"""So long nothing is read before the reader counts as gone."""


class FlowingAnswer(daphne.http_protocol.WebRequest):  # type: ignore[misc]  # Daphne has no types
    """A request whose answer waits for its reader."""

    stall_timeout_s = STALL_TIMEOUT_S

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._room = asyncio.Event()
        self._room.set()

    async def has_room(self) -> None:
        """Wait until the reader has taken what was sent; hang up on one that takes nothing."""
        try:
            async with asyncio.timeout(self.stall_timeout_s):
                await self._room.wait()
        except TimeoutError:
            self._break_off()

    def handle_reply(self, message: dict[str, Any]) -> None:
        is_begin = message["type"] == "http.response.start"
        if is_begin and self.channel is not None and not self.producer:
            self.registerProducer(self, streaming=True)
        super().handle_reply(message)

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._room.clear()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        self._room.set()

    stopProducing = resumeProducing  # noqa: N815 - Twisted's name

    def finish(self) -> None:
        if self.producer:
            self.unregisterProducer()
        super().finish()
        self._room.set()  # what is left of it the connection sends alone

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802 - Twisted's name
        self._room.set()
        super().connectionLost(reason)

    def check_timeouts(self) -> None:
        """Give up on an answer that does not begin; one that has begun may take its time."""
        if not self._response_started:
            super().check_timeouts()

    def handle_exception(self, exception: Exception) -> None:
        """Say that the application crashed; too late for words, hang up."""
        if self._response_started:
            self._break_off()
        else:
            super().handle_exception(exception)

    def _break_off(self) -> None:
        if not self.finished and self.channel is not None:
            self.channel.transport.abortConnection()
