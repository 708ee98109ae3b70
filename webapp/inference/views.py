"""The page of the inference tier: how it is, what it serves, who uses it, and trying it out."""

from datetime import timedelta
from http import HTTPStatus
from typing import Final

import msgspec
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from processing.wire.tier import MAX_PICTURE_BYTES
from webapp.accounts.models import Role, User
from webapp.accounts.permissions import has_role, requires
from webapp.accounts.queries import organizations_where
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import is_htmx, page
from webapp.inference.forms import read_route
from webapp.inference.models import Tier
from webapp.inference.proxy import DETECT
from webapp.inference.serving import (
    MAX_WEIGHT,
    BadRoute,
    SharedHub,
    by_model,
    may_route,
    reported_bundles,
    route_model,
)
from webapp.inference.standing import model_rows, tier_rows
from webapp.inference.tokens import USER_TOKEN_S, user_token
from webapp.inference.usage import Span, traffic, used_by

USED_WITHIN: Final = timedelta(days=7)


@require_safe
@requires(Role.OPERATOR)
def inference(request: HttpRequest) -> HttpResponse:
    """Show the tier; htmx gets how it is and what it serves, anew."""
    user = actor_of(request)
    context = _standing(user)
    if not is_htmx(request):
        context |= {
            "used": used_by(user, since=now() - USED_WITHIN),
            "may_administer": has_role(user, Role.ADMIN),
            "keys_url": reverse("api_keys"),
        }
    return page(request, "inference/overview.html", context, part="inference/_standing.html")


@require_POST
@requires(Role.OPERATOR)
def route(request: HttpRequest) -> HttpResponse:
    """Change how the versions of a model share what comes."""
    user, model = actor_of(request), request.POST.get("model", "")[:64]
    found = by_model(reported_bundles(Tier.objects.all())).get(model, [])
    digests = list(dict.fromkeys(bundle.digest for bundle in found))
    problem = ""
    try:
        route_model(model, read_route(request.POST, digests), by=user, at=now())
    except (BadRoute, SharedHub) as error:
        problem = str(error)
    if not is_htmx(request):
        if problem:
            messages.warning(request, problem)
        return redirect("inference")
    context = _standing(user) | {"problem": problem, "problem_of": model}
    if not problem:
        context["saved"] = model
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return page(
        request,
        "inference/overview.html",
        context,
        part="inference/_standing.html",
        status=status,
    )


class _TrafficQuery(msgspec.Struct, frozen=True):
    span: Span = "24h"


@require_safe
@requires(Role.OPERATOR)
def traffic_figures(request: HttpRequest) -> HttpResponse:
    """Answer with pictures by how it went over time: `?span=24h|7d|30d`."""
    try:
        asked = msgspec.convert(request.GET.dict(), _TrafficQuery)
    except msgspec.ValidationError as error:
        return _json({"errors": {"span": [str(error)]}}, HTTPStatus.BAD_REQUEST)
    return _json(traffic(actor_of(request), span=asked.span, at=now()))


@require_safe
@requires(Role.OPERATOR)
def try_it(request: HttpRequest) -> HttpResponse:
    """Show where a person has a picture judged."""
    context = {
        "is_configured": bool(settings.TIER_URL),
        "models": [row.model for row in model_rows(at=now())],
        "most_bytes": MAX_PICTURE_BYTES,
        "detect": DETECT,
        "may_administer": has_role(actor_of(request), Role.ADMIN),
    }
    return page(request, "inference/try.html", context)


@require_POST
@requires(Role.OPERATOR)
def try_token(request: HttpRequest) -> HttpResponse:
    """Answer with what the page shows to the tier, for a minute."""
    user = actor_of(request)
    organization = organizations_where(user, Role.OPERATOR).first()
    if organization is None:
        raise PermissionDenied
    token = user_token(user, organization, at=now())
    return _json({"token": token, "expires_s": USER_TOKEN_S})


def _standing(user: User) -> dict[str, object]:
    at = now()
    return {
        "is_configured": bool(settings.TIER_URL),
        "tiers": tier_rows(at=at),
        "models": model_rows(at=at),
        "may_route": may_route(user),
        "most_weight": MAX_WEIGHT,
    }


def _json(content: object, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    response = HttpResponse(
        msgspec.json.encode(content), status=status, content_type="application/json"
    )
    response["Cache-Control"] = "no-store"
    return response
