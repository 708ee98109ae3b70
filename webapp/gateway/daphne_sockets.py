"""Daphne's websockets, read no faster than an application takes what comes.

Daphne itself puts all that a peer sends into a queue without an end.
"""

from typing import Any, Final

import autobahn.websocket.protocol
import daphne.ws_protocol
from asgiref.typing import ASGIReceiveCallable, ASGIReceiveEvent, ASGISendCallable, Scope

from webapp.common.request_limits import Application

SOCKET: Final = "farwatch.socket"
"""In the scope: the `BoundedSocket`."""
MOST_QUEUED: Final = 8
"""Messages that wait for the application, besides those that one read of the socket brings."""


class BoundedSocket(daphne.ws_protocol.WebSocketProtocol):  # type: ignore[misc]  # Daphne has no types
    """A websocket that is not read while too much waits to be taken."""

    _is_paused = False

    def onMessage(self, payload: bytes, isBinary: bool) -> None:  # noqa: N802, N803, FBT001 - Autobahn's names
        super().onMessage(payload, isBinary)
        if not self._is_paused and self.application_queue.qsize() >= MOST_QUEUED:
            self._is_paused = True
            self.transport.pauseProducing()

    def taken(self) -> None:
        """Say that the application took something: once nothing waits, reading goes on."""
        if self._is_paused and self.application_queue.empty():
            self._is_paused = False
            self.transport.resumeProducing()


class BoundedFactory(daphne.ws_protocol.WebSocketFactory):  # type: ignore[misc]  # Daphne has no types
    """Makes websockets that are bounded."""

    protocol = BoundedSocket

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Every new socket prints its thirty settings for a line of debug that nobody reads: a
        # fifth of what an upgrade costs, and after a restart they come by the thousand.
        autobahn.websocket.protocol.pformat = str  # type: ignore[attr-defined, assignment]  # as said
        super().__init__(*args, **kwargs)


def let_flow(application: Application) -> Application:
    """Wrap an application: what it takes of a `BoundedSocket` lets more come."""

    async def flowing(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        socket: BoundedSocket | None = scope.pop(SOCKET, None)  # type: ignore[typeddict-item]  # ours, not ASGI's
        if socket is None:
            await application(scope, receive, send)
            return

        async def receive_more() -> ASGIReceiveEvent:
            event = await receive()
            socket.taken()
            return event

        await application(scope, receive_more, send)

    return flowing
