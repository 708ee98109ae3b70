"""The way to the inference tier through the hub's own address, in front of Django.

Bytes go through as they come, both ways; neither Django nor the database hears of them. Who may ask
is for the tier to judge (`webapp.inference.grants`).
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import httpx
import msgspec
import structlog
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope
from django.conf import settings

from processing.wire.tier import MAX_PICTURE_BYTES
from webapp.common.ids import uuid7
from webapp.common.problems import CONTENT_TYPE, problem
from webapp.common.request_limits import Application, Larger

if TYPE_CHECKING:
    from asgiref.typing import ASGISendEvent

DETECT: Final = "/api/v1/detect/"
PROTOCOL: Final = "/v2"
MAX_TENSOR_BYTES: Final = 32 * 1024 * 1024
MAX_CONNECTIONS: Final = 256
"""To the tier, at once; who comes when all are taken is told to come again."""
MAX_SPOOLED: Final = 32
"""Large ones on disk, where the server has them there before the tier may refuse who sends."""
RETRY_AFTER_S: Final = 1
BODY_S: Final = 60.0
_TIMEOUT: Final = httpx.Timeout(65.0, connect=2.0, pool=0.5)
"""A tier answers within `processing.tier.contract.MAX_BUDGET_MS`."""

_SOUND_ID: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_OF_ONE_HOP: Final = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization",
        b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade", b"expect",
    }
)  # fmt: skip
_NOT_FOR_TIERS: Final = frozenset({b"host", b"cookie", b"x-csrftoken", b"x-request-id"})
_NOT_FOR_CALLERS: Final = frozenset({b"server", b"date", b"set-cookie", b"x-request-id"})

Headers = list[tuple[bytes, bytes]]
logging.getLogger("httpx").setLevel(logging.WARNING)  # a line a picture is too much
log = structlog.get_logger(__name__)


def is_for_tier(path: str) -> bool:
    """Return whether the tier answers at this path."""
    return path == PROTOCOL or path.startswith((f"{PROTOCOL}/", DETECT)) or path == DETECT[:-1]


def is_tier_there(path: str) -> bool:  # noqa: ARG001 - as `Larger` asks
    """Return whether this hub has a tier at all: without one nobody sends it pictures."""
    return bool(settings.TIER_URL)


PICTURES: Final = Larger(
    DETECT[:-1], MAX_PICTURE_BYTES, BODY_S, is_tier_there, n_spooled=MAX_SPOOLED
)
TENSORS: Final = Larger(
    f"{PROTOCOL}/", MAX_TENSOR_BYTES, BODY_S, is_tier_there, n_spooled=MAX_SPOOLED
)


class TierProxy:
    """Wraps an HTTP application: what is for the tier goes there, the rest is the application's."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._http: httpx.AsyncClient | None = None

    async def __call__(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if is_for_tier(scope["path"]):
            await self._pass_on(scope, receive, send)
        else:
            await self._application(scope, receive, send)

    async def aclose(self) -> None:
        """Close the connections to the tier."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def _pass_on(
        self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        request_id = _request_id(scope)
        refusal = _refusal(scope)
        if refusal is not None:
            await _refuse(scope, send, request_id, *refusal)
            return
        body = _Body(receive)
        passing = asyncio.ensure_future(self._exchange(scope, body, send, request_id))
        leaving = asyncio.ensure_future(body.hung_up())
        try:
            await asyncio.wait({passing, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not passing.done():
                return  # nobody waits for the answer: let the tier know by hanging up, too
            await passing
        except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeError):
            words = "This request's address or headers cannot be passed on."
            await _refuse(scope, send, request_id, HTTPStatus.BAD_REQUEST, words)
        except httpx.HTTPError as error:
            log.warning("tier.away", reason=str(error) or type(error).__name__)
            words = "The inference tier does not answer. Try again in a moment."
            await _refuse(scope, send, request_id, HTTPStatus.SERVICE_UNAVAILABLE, words)
        except OSError:
            return  # gone while it was answered
        finally:
            for task in (passing, leaving):
                task.cancel()
            await asyncio.gather(passing, leaving, return_exceptions=True)

    async def _exchange(
        self, scope: HTTPScope, body: "_Body", send: ASGISendCallable, request_id: bytes
    ) -> None:
        """Send a request on and its answer back; raise `httpx.HTTPError` before that has begun."""
        if self._http is None:
            limits = httpx.Limits(max_connections=MAX_CONNECTIONS)
            self._http = httpx.AsyncClient(limits=limits, trust_env=False)
        request = _outgoing(scope, body, request_id)
        answer = await self._http.send(request, stream=True)
        try:
            await send(_start(answer.status_code, _kept(answer.headers.raw, request_id)))
            # Once it has begun a tier that breaks off is no 503 any more: the server hangs up.
            try:
                async for piece in answer.aiter_raw():
                    more: ASGISendEvent = {
                        "type": "http.response.body", "body": piece, "more_body": True,
                    }  # fmt: skip
                    await send(more)
            except httpx.HTTPError as error:
                raise BrokenOff(str(error)) from error
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await answer.aclose()


class BrokenOff(Exception):
    """The tier went away in the middle of an answer."""


class _Body:
    """A request's body on its way, and whether its sender is still there."""

    def __init__(self, receive: ASGIReceiveCallable) -> None:
        self._receive = receive
        self._is_whole = asyncio.Event()
        self._has_left = asyncio.Event()

    async def pieces(self) -> AsyncIterator[bytes]:
        while not self._is_whole.is_set():
            event = await self._receive()
            if event["type"] == "http.disconnect":
                self._has_left.set()
                self._is_whole.set()
                await asyncio.Event().wait()  # until this request is called off
            if event["type"] == "http.request":
                if not event.get("more_body", False):
                    self._is_whole.set()
                if event["body"]:
                    yield event["body"]

    def none(self) -> bytes:
        """Return what is sent of a body that there is not."""
        self._is_whole.set()
        return b""

    async def hung_up(self) -> None:
        """Return when whoever asked is gone."""
        await self._is_whole.wait()
        while not self._has_left.is_set():
            event = await self._receive()
            if event["type"] == "http.disconnect":
                return


def _refusal(scope: HTTPScope) -> tuple[HTTPStatus, str] | None:
    """Return why a request does not reach the tier, if so."""
    if not settings.TIER_URL:
        return HTTPStatus.SERVICE_UNAVAILABLE, "No inference tier is configured on this hub."
    if ".." in scope["path"].split("/"):
        return HTTPStatus.NOT_FOUND, "There is nothing here."
    if scope["method"] not in {"GET", "HEAD", "POST", "OPTIONS"}:
        return HTTPStatus.METHOD_NOT_ALLOWED, "GET and POST are answered here."
    has_bearer = any(name == b"authorization" for name, _ in scope["headers"])
    if scope["method"] == "POST" and not has_bearer:  # before a byte of its body is taken
        return HTTPStatus.UNAUTHORIZED, "Send an API key: Authorization: Bearer fw_…"
    return None


def _outgoing(scope: HTTPScope, body: _Body, request_id: bytes) -> httpx.Request:
    raw_path: bytes = scope.get("raw_path") or httpx.URL(path=scope["path"]).raw_path
    target = raw_path.partition(b"?")[0]
    if scope["query_string"]:
        target += b"?" + scope["query_string"]
    headers = _without_hop(scope["headers"], _NOT_FOR_TIERS)
    has_body = any(
        name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"]
    )
    return httpx.Request(
        scope["method"],
        httpx.URL(settings.TIER_URL).copy_with(raw_path=target),
        headers=[*headers, (b"x-request-id", request_id)],
        content=body.pieces() if has_body else body.none(),
        extensions={"timeout": _TIMEOUT.as_dict()},
    )


def _kept(headers: Headers, request_id: bytes) -> Headers:
    lower = [(name.lower(), value) for name, value in headers]
    return [*_without_hop(lower, _NOT_FOR_CALLERS), (b"x-request-id", request_id)]


def _without_hop(headers: Iterable[tuple[bytes, bytes]], also: frozenset[bytes]) -> Headers:
    """Return the headers that are for more than the next hop (RFC 9110, 7.6.1)."""
    given = list(headers)
    named = {
        token.strip().lower()
        for name, value in given
        if name == b"connection"
        for token in value.split(b",")
    }
    dropped = _OF_ONE_HOP | also | named
    return [(name, value) for name, value in given if name not in dropped]


def _request_id(scope: HTTPScope) -> bytes:
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given if _SOUND_ID.fullmatch(given) else uuid7().hex.encode()


async def _refuse(
    scope: HTTPScope, send: ASGISendCallable, request_id: bytes, status: HTTPStatus, words: str
) -> None:
    """Answer in the words of whichever protocol was spoken."""
    is_detect = scope["path"].startswith(DETECT[:-1])
    said: object = problem(status, detail=words) if is_detect else {"error": words}
    content = msgspec.json.encode(said)
    headers = [
        (b"content-type", (CONTENT_TYPE if is_detect else "application/json").encode()),
        (b"content-length", str(len(content)).encode()),
        (b"connection", b"close"),  # what is left of its body is not waited for
        (b"x-request-id", request_id),
    ]
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b'Bearer realm="Farwatch"'))
    with suppress(OSError):  # whoever asked is gone
        await send(_start(status.value, headers))
        await send({"type": "http.response.body", "body": content, "more_body": False})


def _start(status: int, headers: Headers) -> "ASGISendEvent":
    return {
        "type": "http.response.start", "status": status, "headers": headers, "trailers": False,
    }  # fmt: skip
