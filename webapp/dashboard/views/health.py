"""The health page: how far every stage is behind, and what the hub runs on."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from webapp.accounts.models import Role
from webapp.accounts.permissions import requires
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import page
from webapp.dashboard.health import read_health


@require_safe
@requires(Role.OPERATOR)
def health(request: HttpRequest) -> HttpResponse:
    """Show how the hub is."""
    return page(
        request, "dashboard/health.html", {"health": read_health(actor_of(request), at=now())}
    )


@require_safe
@requires(Role.OPERATOR)
def figures_part(request: HttpRequest) -> HttpResponse:
    """Show the same anew."""
    context = {"health": read_health(actor_of(request), at=now())}
    response = render(request, "dashboard/_health.html", context)
    response["Cache-Control"] = "no-store"
    return response


@require_safe
@requires(Role.OPERATOR)
def ping(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """Answer at once: the page measures how long that takes."""
    return HttpResponse("ok", content_type="text/plain", headers={"Cache-Control": "no-store"})
