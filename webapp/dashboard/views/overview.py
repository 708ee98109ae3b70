"""The overview and its parts. Every member may see it; a part fetches itself when it changed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from webapp.accounts.models import Role
from webapp.accounts.permissions import has_role
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import page
from webapp.dashboard.queries import (
    agent_rows,
    camera_cards,
    events_for,
    headline,
    n_agents,
)

_N_AGENTS = 8
_N_EVENTS = 8


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show everything at a glance."""
    actor, at = actor_of(request), now()
    context = {
        "headline": headline(actor, at=at),
        "cards": camera_cards(actor, at=at),
        "agents": agent_rows(actor, at=at, most=_N_AGENTS),
        "n_agents": n_agents(actor),
        "events": events_for(actor)[:_N_EVENTS],
        "may_operate": has_role(actor, Role.OPERATOR),
        "may_administer": has_role(actor, Role.ADMIN),
    }
    return page(request, "dashboard/overview.html", context)


@require_safe
def headline_part(request: HttpRequest) -> HttpResponse:
    """Show the figures on top."""
    return _part(request, "headline", headline=headline(actor_of(request), at=now()))


@require_safe
def wall_part(request: HttpRequest) -> HttpResponse:
    """Show the camera wall."""
    actor = actor_of(request)
    return _part(
        request,
        "wall",
        cards=camera_cards(actor, at=now()),
        may_operate=has_role(actor, Role.OPERATOR),
        may_administer=has_role(actor, Role.ADMIN),
    )


@require_safe
def agents_part(request: HttpRequest) -> HttpResponse:
    """Show the short list of agents."""
    actor = actor_of(request)
    return _part(
        request,
        "agents_short",
        agents=agent_rows(actor, at=now(), most=_N_AGENTS),
        n_agents=n_agents(actor),
        may_administer=has_role(actor, Role.ADMIN),
    )


@require_safe
def events_part(request: HttpRequest) -> HttpResponse:
    """Show the newest events."""
    return _part(request, "events_short", events=events_for(actor_of(request))[:_N_EVENTS])


def _part(request: HttpRequest, name: str, **context: object) -> HttpResponse:
    response = render(request, f"dashboard/_{name}.html", context)
    response["Cache-Control"] = "no-store"
    return response
