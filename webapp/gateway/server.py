"""Daphne, with limits where it has none.

It reads a request whole, to a file on disk, before any application hears of it, and waits as long
as bytes trickle. So the limits of `webapp.common.request_limits`, which other servers meet in front
of Django, are kept here already.
"""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import daphne.http_protocol
import daphne.server
from asgiref.typing import ASGI3Application
from daphne.endpoints import build_endpoint_description_strings
from twisted.internet import reactor
from twisted.internet.base import ReactorBase
from twisted.internet.interfaces import IAddress
from twisted.python.failure import Failure

from webapp.common.problems import CONTENT_TYPE
from webapp.common.request_limits import (
    BODY_TIMEOUT_S,
    most_bytes,
    too_large_problem,
    too_slow_problem,
)

MAX_WEBSOCKET_BYTES: Final = 1024 * 1024
PING_EVERY_S: Final = 20
IDLE_TIMEOUT_S: Final = 30.0
ANSWER_TIMEOUT_S: Final = 120

logging.getLogger("daphne.server").setLevel(logging.WARNING)  # the hub says itself that it listens
assert isinstance(reactor, ReactorBase)


class CannotListen(Exception):
    """The port is taken, or may not be opened."""


class LimitedRequest(daphne.http_protocol.WebRequest):  # type: ignore[misc]  # Daphne has no types
    """A request whose body is counted while it comes, and that must be whole in time."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._n_bytes = 0
        self._is_refused = False
        self._deadline = reactor.callLater(BODY_TIMEOUT_S, self._time_out)

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        super().gotLength(0)
        if length is not None and length > most_bytes(self._asked_path):
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large_problem(self._asked_path))
        else:
            super().gotLength(length)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        if self._is_refused:
            return
        self._n_bytes += len(data)
        if self._n_bytes > most_bytes(self._asked_path):
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, too_large_problem(self._asked_path))
        else:
            super().handleContentChunk(data)

    def process(self) -> object:
        self._forget_deadline()
        return None if self._is_refused else super().process()

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802 - Twisted's name
        self._forget_deadline()
        super().connectionLost(reason)

    @property
    def _asked_path(self) -> str:
        """Return the path of the request line; Twisted hands it over only with the body."""
        asked: bytes = getattr(self.channel, "_path", b"/")
        return asked.partition(b"?")[0].decode("latin-1")

    def _time_out(self) -> None:
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, too_slow_problem())

    def _refuse(self, status: HTTPStatus, body: bytes) -> None:
        """Answer at once and hang up, however much is still to come."""
        self._is_refused = True
        self._forget_deadline()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {CONTENT_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.channel.transport.write(head.encode() + body)
        self.channel.loseConnection()

    def _forget_deadline(self) -> None:
        if self._deadline.active():
            self._deadline.cancel()


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

    def __init__(self, application: ASGI3Application, *, host: str, port: int) -> None:
        super().__init__(
            application,
            endpoints=build_endpoint_description_strings(host=host, port=port),
            http_timeout=ANSWER_TIMEOUT_S,
            websocket_timeout=-1,
            websocket_max_message_size=MAX_WEBSOCKET_BYTES,
            websocket_max_frame_size=MAX_WEBSOCKET_BYTES,
            ping_interval=PING_EVERY_S,
            server_name="farwatch",
            verbosity=2,  # what goes wrong inside Twisted is logged, not swallowed
        )
        self._problem = ""

    def serve(
        self,
        *,
        when_listening: Callable[[str, int], None],
        before_stop: Callable[[], object],
    ) -> None:
        """Serve until told to stop; raise `CannotListen` with the reason."""
        daphne.server.HTTPFactory = LimitedFactory  # `run` makes one, and offers no other way

        def begin() -> None:
            for address in self.listening_addresses:
                when_listening(*address)

        reactor.callLater(0, begin)
        reactor.addSystemEventTrigger("before", "shutdown", before_stop)
        self.run()
        if not self.listening_addresses:
            raise CannotListen(self._problem)

    def listen_error(self, failure: Failure) -> None:
        self._problem = failure.getErrorMessage()
        self.stop()

    def kill_all_applications(self) -> object:
        """Leave out connections that never got as far as an application; Daphne trips on them."""
        self.connections = {
            protocol: details
            for protocol, details in self.connections.items()
            if "application_instance" in details
        }
        return super().kill_all_applications()
