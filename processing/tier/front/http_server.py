"""Uvicorn, with bounds on what comes before a request is one, and an eye on who went away."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

from starlette.requests import ClientDisconnect, Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from processing.tier.front.bodies import BODY_TIMEOUT_S

MAX_HEAD_BYTES: Final = 32 * 1024
HEAD_TIMEOUT_S: Final = 10.0
_WATCH: Final = "farwatch.watch"


class Watch:
    """Ends the work for a connection once that is lost: nobody waits for an answer."""

    def __init__(self) -> None:
        self._task: asyncio.Task[Any] | None = None
        self._is_lost = False

    def lost(self) -> None:
        """Hear that nobody is at the other end any more."""
        self._is_lost = True
        if self._task is not None:
            self._task.cancel()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Work inside the block; raise `ClientDisconnect` if the connection is lost."""
        self._task = asyncio.current_task()
        try:
            yield
        except asyncio.CancelledError as error:
            if not self._is_lost or self._task is None:
                raise
            self._task.uncancel()
            raise ClientDisconnect from error
        finally:
            self._task = None


def watch_of(request: Request) -> Watch:
    """Return the watch over the connection that a request came by; of other servers an idle one."""
    watch = request.scope.get(_WATCH)
    return watch if isinstance(watch, Watch) else Watch()


class Refusing(Protocol):
    """Knows by a request's head alone that nothing will come of it."""

    def refuse(self, url: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bytes | None:
        """Return a whole answer; None if the request may come in."""


class BoundedProtocol(HttpToolsProtocol):
    """A connection that sends a request's head whole, soon and short, or is closed.

    A request that the turnstile refuses is answered at once, and its body passed over: for that
    too there is an end, which for a body that is read is its reader's to set.
    """

    turnstile: Refusing | None = None

    def __init__(self, *args: Any, **options: Any) -> None:  # uvicorn's own
        super().__init__(*args, **options)
        self._is_passing_over = False
        self._is_in_head = True
        self._n_head_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._watch = Watch()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)
        self._watch.lost()

    def data_received(self, data: bytes) -> None:
        if self._is_in_head:
            if self._n_head_bytes > MAX_HEAD_BYTES:  # without this read, which may hold a body too
                self.transport.close()
                return
            if self._timer is None:
                self._await_head()
            self._n_head_bytes += len(data)
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._stop_timer()
        refusal = self._refusal()
        if refusal is not None:
            self._is_passing_over = True
            self._timer = self.loop.call_later(BODY_TIMEOUT_S, self._give_up)
            self.transport.write(refusal)
            return
        self.scope[_WATCH] = self._watch  # type: ignore[typeddict-unknown-key]  # ASGI lets servers add to it
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._is_passing_over:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._is_passing_over:
            self._is_passing_over = False
            self._stop_timer()
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        else:
            super().on_message_complete()
        self._is_in_head = True
        self._n_head_bytes = 0

    def _refusal(self) -> bytes | None:
        """Return a refusal, where one can be given here: in turn, on a connection that goes on."""
        cycle: RequestResponseCycle | None = self.cycle  # None before the first, whatever it says
        is_free = cycle is None or cycle.response_complete
        if self.turnstile is None or not is_free or self.expect_100_continue:
            return None
        is_plain = self.parser.get_http_version() == "1.1" and self.parser.should_keep_alive()
        if not is_plain or self.parser.get_method() != b"POST" or self.transport.is_closing():
            return None
        return self.turnstile.refuse(self.url, self.headers)

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(HEAD_TIMEOUT_S, self._give_up)

    def _give_up(self) -> None:
        self._timer = None
        if self._is_in_head or self._is_passing_over:
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def bounded_protocol(turnstile: Refusing) -> type[BoundedProtocol]:
    """Return the kind of connection that this turnstile stands before."""
    return type("TurnstileProtocol", (BoundedProtocol,), {"turnstile": turnstile})
