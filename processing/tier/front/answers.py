"""Answers as HTTP: JSON, msgpack, and problems (RFC 9457)."""

from typing import Final

import msgspec
import structlog
from starlette.responses import Response

from processing.tier.front.refusals import Refusal
from processing.wire.identity import Problem

PROBLEM_TYPE: Final = "application/problem+json"
_NAMESPACE: Final = "urn:farwatch:problem:"
_encode = msgspec.json.Encoder().encode


def problem_response(refusal: Refusal) -> Response:
    """Return a refusal as a problem; it names the parameter at fault."""
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    body = Problem(
        type=f"{_NAMESPACE}{refusal.code}" if refusal.code else "about:blank",
        title=refusal.status.phrase,
        status=refusal.status.value,
        detail=refusal.text,
        errors={refusal.parameter: [refusal.text]} if refusal.parameter else {},
        instance=f"urn:farwatch:request:{request_id}" if request_id else "",
    )
    return Response(
        _encode(body),
        refusal.status.value,
        headers=headers_of(refusal),
        media_type=PROBLEM_TYPE,
    )


def error_response(refusal: Refusal) -> Response:
    """Return a refusal as the Open Inference Protocol has it."""
    return json_response({"error": refusal.text}, refusal.status.value, headers_of(refusal))


def json_response(
    content: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Return anything that msgspec encodes."""
    return Response(_encode(content), status, headers=headers, media_type="application/json")


def headers_of(refusal: Refusal) -> dict[str, str]:
    """Return what a client is told beside the words."""
    headers: dict[str, str] = {}
    if refusal.retry_after_s is not None:
        headers["Retry-After"] = str(refusal.retry_after_s)
    if refusal.status == 401:  # noqa: PLR2004  # HTTP's own number
        headers["WWW-Authenticate"] = 'Bearer realm="farwatch"'
    return headers
