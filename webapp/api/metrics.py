"""`GET /metrics` for Prometheus: to this machine, or to whoever has the token."""

import hmac
from http import HTTPStatus
from ipaddress import ip_address
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from webapp.api.figures import HubFigures
from webapp.common.metrics import REGISTRY
from webapp.common.problems import problem, problem_http

_OF_HUB: Final = CollectorRegistry()
_OF_HUB.register(HubFigures())
_OF_PROXIES: Final = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")
"""What says that somebody else asks through a program on this machine."""


@require_safe
@login_not_required
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with what this process counts, and with what the hub's database says."""
    if not (_has_token(request) or _is_from_here(request)):
        words = "Ask from this machine, or with the token of FARWATCH_METRICS_TOKEN."
        response = problem_http(problem(HTTPStatus.UNAUTHORIZED, detail=words))
        response["WWW-Authenticate"] = "Bearer"
        return response
    content = generate_latest(_OF_HUB) + generate_latest(REGISTRY)
    return HttpResponse(
        content, content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"}
    )


def _has_token(request: HttpRequest) -> bool:
    wanted = str(settings.METRICS_TOKEN)
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    is_right = hmac.compare_digest(given.strip().encode(), wanted.encode())
    return bool(wanted) and kind.lower() == "bearer" and is_right


def _is_from_here(request: HttpRequest) -> bool:
    if any(name in request.headers for name in _OF_PROXIES):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False  # a socket in the file system has no address
