"""Daphne, with limits where it has none.

It reads a request whole, to a file on disk, before any application hears of it, and waits as long
as bytes trickle. So the limits of `webapp.common.request_limits`, which other servers meet in front
of Django, are kept here already.
"""

import asyncio
import io
import logging
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from http import HTTPStatus
from typing import Any, Final

import daphne.http_protocol
import daphne.server
from autobahn.exception import Disconnected
from daphne.endpoints import build_endpoint_description_strings
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.logger import LogLevel, formatEvent, globalLogPublisher
from twisted.python.failure import Failure

from webapp.common.problems import CONTENT_TYPE
from webapp.common.request_limits import (
    BODY_TIMEOUT_S,
    Application,
    TooMany,
    most_bytes,
    most_seconds,
    spooling,
    taking,
    too_large_problem,
    too_many_problem,
    too_slow_problem,
)
from webapp.gateway.addresses import Address, CannotListen
from webapp.gateway.bodies import BODY, feed_bodies
from webapp.gateway.daphne_answers import FlowingAnswer
from webapp.gateway.daphne_sockets import SOCKET, BoundedFactory, BoundedSocket, let_flow

MAX_WEBSOCKET_BYTES: Final = 1024 * 1024
PING_EVERY_S: Final = 20
IDLE_TIMEOUT_S: Final = 30.0
ANSWER_TIMEOUT_S: Final = 120
HANDSHAKE_TIMEOUT_S: Final = 20
"""Longer than an agent waits in the line at the door."""

logging.getLogger("daphne.server").setLevel(logging.WARNING)  # the hub says itself that it listens
_twisted_log = logging.getLogger("twisted")


class LimitedRequest(FlowingAnswer):
    """A request whose body is counted while it comes, and that must be whole in time."""

    timeout_s = BODY_TIMEOUT_S

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._n_bytes = 0
        self._most_bytes = 0
        self._is_refused = False
        self._turn = ExitStack()
        """Among those whose body is sent to the same path."""
        self._deadline = asyncio.get_running_loop().call_later(self.timeout_s, self._time_out)

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        super().gotLength(0)
        self._most_bytes = most_bytes(self._asked_path)  # asked once: a right may run out meanwhile
        if (longer_s := most_seconds(self._asked_path)) > BODY_TIMEOUT_S:
            self._deadline.cancel()
            self._deadline = asyncio.get_running_loop().call_later(longer_s, self._time_out)
        if length is not None and length > self._most_bytes:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large_problem(self._asked_path))
            return
        try:
            self._turn.enter_context(taking(self._asked_path))
            self._turn.enter_context(spooling(self._asked_path, length))
        except TooMany:
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS, too_many_problem())
        else:
            super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        if self._is_refused:
            return
        self._n_bytes += len(data)
        if self._n_bytes > self._most_bytes:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large_problem(self._asked_path))
        else:
            super().handleContentChunk(data)

    def process(self) -> object:
        self._deadline.cancel()
        return None if self._is_refused else super().process()

    def finish(self) -> None:
        self._turn.close()
        super().finish()

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802 - Twisted's name
        self._turn.close()
        self._deadline.cancel()
        super().connectionLost(reason)

    @property
    def _asked_path(self) -> str:
        """Return the path of the request line; Twisted hands it over only with the body."""
        asked: bytes = getattr(self.channel, "_path", b"/")
        return asked.partition(b"?")[0].decode("latin-1")

    def _time_out(self) -> None:
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, too_slow_problem(self._asked_path))

    def _refuse(self, status: HTTPStatus, body: bytes) -> None:
        """Answer at once and hang up, however much is still to come."""
        self._is_refused = True
        self._turn.close()
        self._deadline.cancel()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {CONTENT_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.channel.transport.write(head.encode() + body)
        self.channel.loseConnection()


class LimitedFactory(daphne.http_protocol.HTTPFactory):  # type: ignore[misc]  # Daphne has no types
    """Makes connections whose requests are limited."""

    def __init__(self, server: "HubServer") -> None:
        super().__init__(server)
        self.timeOut = IDLE_TIMEOUT_S

    def buildProtocol(self, addr: IAddress) -> object:  # noqa: N802 - Twisted's name
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = LimitedRequest
        return protocol


class HubServer(daphne.server.Server):  # type: ignore[misc]  # Daphne has no types
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
            feed_bodies(let_flow(application)),
            endpoints=_endpoints(address),
            http_timeout=ANSWER_TIMEOUT_S,
            websocket_timeout=-1,
            websocket_handshake_timeout=HANDSHAKE_TIMEOUT_S,
            websocket_max_message_size=MAX_WEBSOCKET_BYTES,
            websocket_max_frame_size=MAX_WEBSOCKET_BYTES,
            ping_interval=PING_EVERY_S,
            ready_callable=self._when_ready,
            server_name="farwatch",
        )
        self._when_listening = when_listening
        self._when_told_to_stop = when_told_to_stop
        self._before_stop = before_stop
        self._address = address
        self._problem = ""

    def listen_and_serve(self) -> None:
        """Serve until told to stop; raise `CannotListen` with the reason."""
        daphne.server.HTTPFactory = LimitedFactory  # `run` makes one, and offers no other way
        daphne.server.WebSocketFactory = BoundedFactory  # same
        globalLogPublisher.addObserver(_log_error)  # type: ignore[arg-type]  # zope's interface
        self.run()
        if self._problem:
            raise CannotListen(self._problem)

    def create_application(self, protocol: object, scope: dict[str, Any]) -> object:
        """Begin to answer a request, or a websocket; a request's body stays where it is."""
        if isinstance(protocol, LimitedRequest):
            scope[BODY], protocol.content = protocol.content, io.BytesIO()
        if isinstance(protocol, BoundedSocket):
            scope[SOCKET] = protocol
        return super().create_application(protocol, scope)

    def protocol_disconnected(self, protocol: object) -> None:
        """Forget a connection; one that ended before it was taken over is not known."""
        if protocol in self.connections:
            super().protocol_disconnected(protocol)

    async def handle_reply(self, protocol: object, message: dict[str, Any]) -> None:
        """Send as it is read; to a socket that is closing raises `OSError`, as ASGI has it."""
        try:
            await super().handle_reply(protocol, message)
        except Disconnected as error:
            raise OSError(str(error)) from error
        if isinstance(protocol, FlowingAnswer):
            await protocol.has_room()

    def listen_error(self, failure: Failure) -> None:
        self._problem = failure.getErrorMessage()
        self.stop()

    def kill_all_applications(self) -> Deferred[None]:
        """Stop; unlike Daphne's own, not troubled by connections that never had an application."""
        self._when_told_to_stop()
        instances = [details.get("application_instance") for details in self.connections.values()]
        running = [instance for instance in instances if instance and not instance.done()]
        for instance in running:
            instance.cancel()

        async def wind_down() -> None:
            await asyncio.gather(*running, return_exceptions=True)
            await self._before_stop()

        return Deferred.fromFuture(asyncio.ensure_future(wind_down()))

    def _when_ready(self) -> None:
        """Say where it listens, once the loop runs."""
        names = [f"{host}:{port}" for host, port in self.listening_addresses]
        if not self._problem:
            name = names[0] if names else str(self._address)
            asyncio.get_event_loop().call_soon(self._when_listening, name)


def _endpoints(address: Address) -> list[str]:
    """Return what Twisted calls it."""
    if address.fd is not None:
        described = build_endpoint_description_strings(file_descriptor=address.fd)
    elif address.uds is not None:
        described = build_endpoint_description_strings(unix_socket=str(address.uds))
    else:
        described = build_endpoint_description_strings(host=address.host, port=address.port)
    return list(described)


def _log_error(event: dict[str, Any]) -> None:
    """Log what went wrong inside Twisted; Daphne drops it."""
    if event["log_level"] >= LogLevel.error:
        _twisted_log.error(formatEvent(event))
