"""Errors in words a person can act on: problems (RFC 9457) for programs, pages for people."""

import secrets
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, ValidationError
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template import loader
from django.views import defaults
from rest_framework import exceptions
from rest_framework.fields import get_error_detail

from processing.wire.identity import Problem
from webapp.common.metrics import DATABASE_ERRORS
from webapp.common.request_ids import current_id

CONTENT_TYPE: Final = "application/problem+json"
_NAMESPACE: Final = "urn:farwatch:problem:"
_RETRY_AFTER_S: Final = 5

log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder().encode


class ApiProblem(exceptions.APIException):
    """A refusal of the API with a code that programs may branch on and words for people."""

    def __init__(self, status: HTTPStatus, code: str, detail: str) -> None:
        super().__init__(detail, code)
        self.status_code = status.value
        self.code = code


def problem(
    status: HTTPStatus,
    *,
    detail: str = "",
    code: str = "",
    errors: Mapping[str, list[str]] | None = None,
) -> Problem:
    """Return the problem; without a `code` its type says no more than the status does."""
    return Problem(
        type=f"{_NAMESPACE}{code}" if code else "about:blank",
        title=status.phrase,
        status=status.value,
        detail=detail,
        errors=dict(errors or {}),
        instance=f"urn:farwatch:request:{request_id}" if (request_id := current_id()) else "",
    )


def problem_http(refusal: Problem) -> HttpResponse:
    """Return a problem as a response: JSON, whatever else the caller would have accepted."""
    return HttpResponse(_encode(refusal), status=refusal.status, content_type=CONTENT_TYPE)


def problem_response(error: Exception, context: dict[str, Any]) -> HttpResponse | None:  # noqa: ARG001 - the signature is DRF's
    """Return what an API view's exception becomes; None for a crash, which `server_error` takes."""
    known = _as_api_exception(error)
    if known is None:
        return None
    status = HTTPStatus(known.status_code)
    if isinstance(known, exceptions.ValidationError):
        refusal = problem(
            status,
            code="invalid",
            detail="Some fields are not as they must be.",
            errors=dict(field_errors(known.detail)),
        )
    else:
        code = known.code if isinstance(known, ApiProblem) else ""
        refusal = problem(status, detail=str(known.detail), code=code)
    response = problem_http(refusal)
    for name, value in _headers(known).items():
        response[name] = value
    return response


def field_errors(detail: object, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield (dotted field, sentences) of a validation error; "" is the whole body."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            here = "" if name in {"non_field_errors", "__all__"} else str(name)
            yield from field_errors(inner, ".".join(filter(None, (path, here))))
    elif isinstance(detail, list) and any(isinstance(inner, dict | list) for inner in detail):
        for index, inner in enumerate(detail):
            if inner:
                yield from field_errors(inner, f"{path}.{index}" if path else str(index))
    else:
        sentences = detail if isinstance(detail, list) else [detail]
        yield path, [str(sentence) for sentence in sentences]


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer a request that Django itself refuses to read."""
    if not is_api(request):
        return defaults.bad_request(request, exception)
    if isinstance(exception, RequestDataTooBig):
        return problem_http(problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
    return problem_http(problem(HTTPStatus.BAD_REQUEST))


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer somebody who may not."""
    if is_api(request):
        return problem_http(problem(HTTPStatus.FORBIDDEN))
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer for what does not exist, or not for this person."""
    if is_api(request):
        return problem_http(problem(HTTPStatus.NOT_FOUND, detail="There is nothing here."))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer after a crash: the log has the trace, the answer only the reference to it."""
    if isinstance(sys.exc_info()[1], OperationalError):
        return _database_away(request)
    reference = secrets.token_hex(4)
    log.error(
        "request.crashed",
        path=request.path,
        method=request.method,
        reference=reference,
        exc_info=sys.exc_info(),
    )
    if is_api(request):
        detail = f"Something broke on our side. Its reference in the log is {reference}."
        return problem_http(problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail=detail))
    response = defaults.server_error(request)
    response["X-Reference"] = reference
    return response


def _database_away(request: HttpRequest) -> HttpResponseBase:
    """Answer while the database is gone, or so busy that a write waited too long for its turn."""
    DATABASE_ERRORS.labels("request").inc()
    log.warning("request.database_away", path=request.path, reason=str(sys.exc_info()[1]))
    if is_api(request):
        detail = "The database is away or very busy. Nothing was changed; try again in a moment."
        response = problem_http(problem(HTTPStatus.SERVICE_UNAVAILABLE, detail=detail))
    else:
        page = loader.render_to_string("503.html")
        response = HttpResponse(page, status=HTTPStatus.SERVICE_UNAVAILABLE)
    response["Retry-After"] = str(_RETRY_AFTER_S)
    return response


def is_api(request: HttpRequest) -> bool:
    """Return whether a program asks, which wants a problem and no page."""
    return request.path.startswith("/api/")


def _as_api_exception(error: Exception) -> exceptions.APIException | None:
    if isinstance(error, Http404):
        return exceptions.NotFound("There is nothing here, or not for you.")
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, ValidationError):
        return exceptions.ValidationError(get_error_detail(error))
    if isinstance(error, RequestDataTooBig):
        return ApiProblem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "The body is too large."
        )
    return error if isinstance(error, exceptions.APIException) else None


def too_large(limit: int = 0) -> ApiProblem:
    """Return the refusal of a body over `limit` bytes (0: over the hub's)."""
    words = f" At most {limit} bytes are allowed." if limit else ""
    return ApiProblem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", f"The body is too large.{words}"
    )


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return headers
