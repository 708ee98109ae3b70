"""Uvicorn, for many agents: the same application, half the CPU a message, and writing that waits.

What it lacks is added here: a limit of a request's head in size and time. Bodies are limited by the
application (`webapp.common.request_limits`), which Uvicorn hands them to as they come.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from socket import socket
from types import FrameType
from typing import Any, Final

import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from webapp.common.problems import CONTENT_TYPE, problem
from webapp.common.request_limits import BODY_TIMEOUT_S, Application
from webapp.gateway.addresses import BACKLOG, Address
from webapp.gateway.server import IDLE_TIMEOUT_S, MAX_WEBSOCKET_BYTES, PING_EVERY_S

MAX_HEAD_BYTES: Final = 64 * 1024
"""Of a request's line and headers."""
WIND_DOWN_S: Final = 10
"""So long requests that are under way may take to end when the hub is told to stop."""


class LimitedHttp(HttpToolsProtocol):
    """A connection whose requests must begin, and have a head that is small and whole, in time."""

    head_timeout_s = BODY_TIMEOUT_S

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._n_head = 0
        self._is_in_head = True
        self._n_begun = 0
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as Uvicorn's
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        n_begun, was_idle = self._n_begun, self.timeout_keep_alive_task is not None
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._is_in_head:
            self._n_head += len(data)
            if self._n_head > MAX_HEAD_BYTES:
                detail = f"at most {MAX_HEAD_BYTES} bytes of headers are taken"
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)
        elif was_idle and n_begun == self._n_begun:  # empty lines: it is as idle as before
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_message_begin(self) -> None:
        self._n_begun += 1
        self._is_in_head = True
        self._n_head = 0
        if self._deadline is None:
            self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._deadline = self.loop.call_later(self.head_timeout_s, self._time_out)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _time_out(self) -> None:
        detail = f"the request did not come whole within {self.head_timeout_s:.0f} s"
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, detail)

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer, and hang up."""
        self._stop_waiting()
        body = msgspec.json.encode(problem(status, detail=detail))
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {CONTENT_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


class ClosingSocket(WebSocketsSansIOProtocol):
    """A websocket that says `OSError` to whoever sends while it closes, as ASGI has it."""

    async def send(self, message: Any) -> None:
        if message["type"] == "websocket.send" and self.close_sent:
            raise ClientDisconnected
        await super().send(message)


class UvicornServer(uvicorn.Server):
    """The hub's web server."""

    def __init__(
        self,
        application: Application,
        *,
        address: Address,
        when_listening: Callable[[str], None],
        when_told_to_stop: Callable[[], None],
        before_stop: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                loop="uvloop",
                http=LimitedHttp,
                ws=ClosingSocket,
                ws_max_size=MAX_WEBSOCKET_BYTES,
                ws_ping_interval=PING_EVERY_S,
                ws_ping_timeout=IDLE_TIMEOUT_S,
                ws_per_message_deflate=False,  # memory a socket, and CPU; pictures do not shrink
                lifespan="off",
                log_config=None,
                log_level="warning",  # the hub says itself that it listens
                access_log=False,
                proxy_headers=False,  # `client_address` knows when to believe them
                server_header=False,
                headers=[("server", "farwatch")],
                backlog=BACKLOG,
                timeout_keep_alive=int(IDLE_TIMEOUT_S),
                timeout_graceful_shutdown=WIND_DOWN_S,
            )
        )
        self._address = address
        self._when_listening = when_listening
        self._when_told_to_stop = when_told_to_stop
        self._before_stop = before_stop

    def listen_and_serve(self) -> None:
        """Serve until told to stop; raise `CannotListen` with the reason."""
        self.run(sockets=[self._address.open()])

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        for listening in sockets or []:
            self._when_listening(_name(listening))

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._when_told_to_stop()
        await super().shutdown(sockets)
        await self._before_stop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; being told to is no failure, so the signal is not raised anew at the end."""
        super().handle_exit(sig, frame)
        self._captured_signals.clear()


def _name(listening: socket) -> str:
    name = listening.getsockname()
    return name if isinstance(name, str) else f"{name[0]}:{name[1]}"
