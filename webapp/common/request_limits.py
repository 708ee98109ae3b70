"""How large a request's body may be, how long it may take to come, and how many may at a time.

Django reads a body whole, to a file on disk, before it looks for a view or a login
(`DATA_UPLOAD_MAX_MEMORY_SIZE` is about forms). So the limit stands before Django.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeAlias

import msgspec
from asgiref.typing import (
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    HTTPScope,
)

from webapp.common.problems import CONTENT_TYPE, problem

MAX_BODY_BYTES: Final = 1024 * 1024
"""Of any request, except where a route takes more; see `take_larger`."""
BODY_TIMEOUT_S: Final = 30.0
COUNTED: Final = "farwatch.is_counted"
"""In the scope: the server itself has counted the body in, before it took it."""


Application: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
"""Of ASGI; Django's and ours differ in how exactly they say what they take."""


@dataclass(frozen=True, slots=True)
class Larger:
    """A route that takes more than others, and waits longer for it."""

    prefix: str
    """How its paths begin."""
    most_bytes: int
    timeout_s: float
    admits: Callable[[str], bool]
    """Whether whoever asks for a path may; it must be quick, it is asked on the event loop."""
    n_at_once: int = 0
    """Bodies that one path takes at a time: they are on disk before a view is asked. Two let
    somebody try again whose first is cut off and not yet given up; 0 of a path that many share."""
    n_spooled: int = 0
    """Bodies larger than anybody may send, of all its paths together, that a server which keeps
    them on disk takes at a time; for routes that ask only later who sends. 0: no limit."""


_LARGER: Final[dict[str, Larger]] = {}
_under_way: Final[Counter[str]] = Counter()
"""Bodies that paths with an `n_at_once`, and prefixes with an `n_spooled`, have; no others. On the
event loop."""


def take_larger(route: Larger) -> None:
    """Let a route take more, of those whom it admits; to others the usual limits apply."""
    _LARGER[route.prefix] = route


class TooLarge(Exception):
    """The body is larger than its route takes."""


class TooSlow(Exception):
    """The body did not come in time."""


class TooMany(Exception):
    """As many as may be are being sent to this path already."""


@contextmanager
def taking(path: str) -> Iterator[None]:
    """Have a body sent to this path, until the end of the block; raise `TooMany`."""
    route = _larger(path)
    if route is None or not route.n_at_once:
        yield
        return
    with _counted(path, route.n_at_once):
        yield


@contextmanager
def spooling(path: str, length: int | None) -> Iterator[None]:
    """Have a body of `length`, or any, on disk until the end of the block; raise `TooMany`."""
    route = _larger(path)
    is_usual = length is not None and length <= MAX_BODY_BYTES
    if route is None or not route.n_spooled or is_usual:
        yield
        return
    with _counted(route.prefix, route.n_spooled):
        yield


@contextmanager
def _counted(what: str, most: int) -> Iterator[None]:
    if _under_way[what] >= most:
        raise TooMany
    _under_way[what] += 1
    try:
        yield
    finally:
        _under_way[what] -= 1
        if not _under_way[what]:
            del _under_way[what]


def most_bytes(path: str) -> int:
    """Return how large the body of a request to `path` may be."""
    route = _larger(path)
    return route.most_bytes if route else MAX_BODY_BYTES


def most_seconds(path: str) -> float:
    """Return how long the body of a request to `path` may take to come."""
    route = _larger(path)
    return route.timeout_s if route else BODY_TIMEOUT_S


def _larger(path: str) -> Larger | None:
    for prefix, route in _LARGER.items():
        if path.startswith(prefix):
            return route if route.admits(path) else None
    return None


def too_large_problem(path: str) -> bytes:
    """Return the body of a 413."""
    detail = f"at most {most_bytes(path)} bytes are taken here"
    return msgspec.json.encode(problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail=detail))


def too_slow_problem(path: str) -> bytes:
    """Return the body of a 408."""
    detail = f"the request did not come whole within {most_seconds(path):.0f} s"
    return msgspec.json.encode(problem(HTTPStatus.REQUEST_TIMEOUT, detail=detail))


def too_many_problem() -> bytes:
    """Return the body of a 429."""
    detail = "other files are being sent to this address: wait until they have come"
    return msgspec.json.encode(problem(HTTPStatus.TOO_MANY_REQUESTS, detail=detail))


def limit_requests(application: Application) -> Application:
    """Wrap an HTTP application: it hears of no body that is too large, too slow or too many."""

    async def limited(
        scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        most = most_bytes(scope["path"])
        if _content_length(scope) > most:
            await _refuse(send, 413, too_large_problem(scope["path"]))
            return
        body = _Body(receive, most, most_seconds(scope["path"]))
        is_counted = scope.get(COUNTED, False)
        try:
            with nullcontext() if is_counted else taking(scope["path"]):
                await application(scope, body.receive, send)
        except TooMany:
            await _refuse(send, 429, too_many_problem())
        except TooLarge:
            await _refuse(send, 413, too_large_problem(scope["path"]))
        except TooSlow:
            await _refuse(send, 408, too_slow_problem(scope["path"]))

    return limited


class _Body:
    """Counts a body while it comes."""

    def __init__(self, receive: ASGIReceiveCallable, most: int, most_s: float) -> None:
        self._receive = receive
        self._left = most
        self._is_whole = False
        self._deadline = asyncio.get_running_loop().time() + most_s

    async def receive(self) -> ASGIReceiveEvent:
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                event = await self._receive()
        except TimeoutError as error:
            raise TooSlow from error
        if event["type"] == "http.request":
            self._left -= len(event["body"])
            self._is_whole = not event.get("more_body", False)
        if self._left < 0:
            raise TooLarge
        return event


def _content_length(scope: HTTPScope) -> int:
    """Return what the request says of its body's size; 0 for nothing, or nonsense."""
    said = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(said) if said.isdigit() else 0


async def _refuse(send: ASGISendCallable, status: int, body: bytes) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", CONTENT_TYPE.encode()),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ],
            "trailers": False,
        }
    )
    await send({"type": "http.response.body", "body": body, "more_body": False})
