"""Every request has an id, is counted by how it went, and ends in an answer even when we crash."""

import re
import secrets
import time
from http import HTTPStatus
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from processing.tier.front.answers import problem_response
from processing.tier.front.refusals import Refusal

_SOUND: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a proxy's id may look like; anything else does not get into a log."""
_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

log = structlog.get_logger()


class RequestsSeen:
    """The outermost of the application."""

    def __init__(self, application: ASGIApp, registry: CollectorRegistry) -> None:
        self._application = application
        self._answers = Counter(
            "farwatch_tier_http_answers",
            "Answers over HTTP.",
            ("route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "farwatch_tier_http_seconds",
            "From a request's head to its answer.",
            ("route",),
            buckets=_BUCKETS,
            registry=registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        begun = time.perf_counter()
        request_id = _given(scope) or secrets.token_hex(16)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        answer = _Answer(send, request_id.encode())
        try:
            await self._application(scope, receive, answer.send)
        except ClientDisconnect:
            answer.status = 499
        except Exception as error:  # noqa: BLE001  # the last one: the client hears of it
            await self._crashed(scope, receive, answer, error)
        finally:
            structlog.contextvars.unbind_contextvars("request_id")
            route = _route(scope["path"])
            self.count(route, answer.status)
            self._seconds.labels(route).observe(time.perf_counter() - begun)

    def count(self, route: str, status: int) -> None:
        """Count an answer; also one that was given before the application heard of the request."""
        self._answers.labels(route, str(status)).inc()

    async def _crashed(
        self, scope: Scope, receive: Receive, answer: "_Answer", error: Exception
    ) -> None:
        reference = secrets.token_hex(4)
        log.error("request.crashed", path=scope["path"][:200], reference=reference, exc_info=error)
        if answer.status:
            return  # its head has left already
        text = f"Something broke on our side. Its reference in the log is {reference}."
        refusal = Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, text)
        await problem_response(refusal)(scope, receive, answer.send)


class _Answer:
    """Sees the status of what is sent, and adds the request's id."""

    def __init__(self, send: Send, request_id: bytes) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], (b"x-request-id", self._request_id)]
        await self._send(message)


def _given(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SOUND.fullmatch(value):
            return str(value, "ascii")
    return ""


def _route(path: str) -> str:
    """Return the kind of route: there are few, whatever strangers ask for."""
    if path.startswith("/api/v1/detect"):
        return "detect"
    if path.startswith("/v2"):
        return "infer" if path.endswith("/infer") else "v2"
    return "other"
