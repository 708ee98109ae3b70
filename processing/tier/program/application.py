"""The tier's ASGI application: every route, its errors, and what watches over them."""

import hmac
import ipaddress
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from processing.tier.front.answers import error_response, json_response, problem_response
from processing.tier.front.bodies import Bodies
from processing.tier.front.detect import PATHS, DetectRoute
from processing.tier.front.door import Door
from processing.tier.front.refusals import Refusal
from processing.tier.front.requests_seen import RequestsSeen
from processing.tier.hub.credentials import bearer_of
from processing.tier.oip.rest import RestRoutes

_METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def make_application(
    door: Door,
    bodies: Bodies,
    registry: CollectorRegistry,
    *,
    troubles: Callable[[], list[str]],
    metrics_token: str = "",
) -> RequestsSeen:
    """Return the application; `troubles` says what keeps the tier from being well."""
    own = _OwnRoutes(registry, troubles, metrics_token)
    detect = DetectRoute(door, bodies).answer
    application = Starlette(
        routes=[
            *(Route(path, detect, methods=["POST"]) for path in PATHS),
            *RestRoutes(door, bodies).routes(),
            Route("/metrics", own.metrics, methods=["GET"]),
            Route("/healthz", own.healthz, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _not_here},
    )
    application.router.redirect_slashes = False
    return RequestsSeen(application, registry)


class _OwnRoutes:
    """For those who run the tier."""

    def __init__(
        self, registry: CollectorRegistry, troubles: Callable[[], list[str]], metrics_token: str
    ) -> None:
        self._registry = registry
        self._troubles = troubles
        self._metrics_token = metrics_token

    async def metrics(self, request: Request) -> Response:
        if not self._may_read(request):
            return problem_response(Refusal(HTTPStatus.NOT_FOUND, "there is nothing here"))
        return Response(generate_latest(self._registry), media_type=_METRICS_TYPE)

    async def healthz(self, _request: Request) -> Response:
        troubles = self._troubles()
        return json_response({"troubles": troubles}, 503 if troubles else 200)

    def _may_read(self, request: Request) -> bool:
        if self._metrics_token:
            bearer = bearer_of(request.headers.get("authorization", ""))
            return hmac.compare_digest(bearer.encode(), self._metrics_token.encode())
        # A proxy on this machine is no reader of ours: what it passes on says from whom.
        is_direct = "x-forwarded-for" not in request.headers
        return is_direct and request.client is not None and _is_here(request.client.host)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _not_here(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    words = "there is nothing here" if status == HTTPStatus.NOT_FOUND else status.phrase.lower()
    refusal = Refusal(status, words)
    is_oip = request.url.path.startswith("/v2")
    response = error_response(refusal) if is_oip else problem_response(refusal)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response
