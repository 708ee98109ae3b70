"""Every request has an id: in its log lines, in its answer's header, in a refusal's body."""

import re
import time
from collections.abc import Callable
from typing import Final

import structlog
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from webapp.common.ids import uuid7
from webapp.common.metrics import REQUEST_SECONDS

HEADER: Final = "X-Request-ID"
_SOUND: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""What a proxy's id may look like; anything else does not get into a log."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestIds:
    """Middleware: takes over the proxy's id, or makes one. The outermost but for what redirects."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begun = time.perf_counter()
        request_id = _given(request) or uuid7().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self._get_response(request)
        response.headers.setdefault(HEADER, request_id)
        method = request.method if request.method in _METHODS else "other"
        status = f"{response.status_code // 100}xx"
        REQUEST_SECONDS.labels(method, status).observe(time.perf_counter() - begun)
        return response


def current_id() -> str:
    """Return the id of the request that is answered here; empty outside of one."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def _given(request: HttpRequest) -> str:
    text = request.headers.get(HEADER, "")
    return text if _SOUND.fullmatch(text) else ""
