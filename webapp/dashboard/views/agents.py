"""The agents page: who they are, how they are, and how another one joins."""

from http import HTTPStatus

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.models import Role, User
from webapp.accounts.permissions import has_role, requires
from webapp.accounts.queries import chosen_organization
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import page
from webapp.dashboard.forms import JoinForm
from webapp.dashboard.queries import agent_rows
from webapp.fleet.actions import create_join_token
from webapp.fleet.actions.sites import add_site
from webapp.fleet.models import Site


@require_safe
@requires(Role.OPERATOR)
def agents(request: HttpRequest) -> HttpResponse:
    """Show all agents with their problems and cameras; htmx gets the list alone."""
    actor = actor_of(request)
    may_administer = has_role(actor, Role.ADMIN)
    context: dict[str, object] = {
        "agents": agent_rows(actor, at=now(), with_cameras=True),
        "may_administer": may_administer,
    }
    if may_administer:
        context["form"] = JoinForm(actor=actor)
    return page(request, "dashboard/agents.html", context, part="dashboard/_agents.html")


@require_POST
@requires(Role.ADMIN)
def join(request: HttpRequest) -> HttpResponse:
    """Make a join token and show, this once, the command that uses it."""
    actor = actor_of(request)
    form = JoinForm(request.POST, actor=actor)
    context: dict[str, object] = {"form": form}
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if form.is_valid() and (site := _site(form, actor)):
        context["token"] = create_join_token(site, by=actor, at=now())
        context["site"] = site
        context["hub"] = request.build_absolute_uri("/").rstrip("/")
        status = HTTPStatus.OK
    response = render(request, "dashboard/_join.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def _site(form: JoinForm, actor: User) -> Site | None:
    """Return the site that was chosen, or is made now; None when it cannot be, with the reason."""
    cleaned = form.cleaned_data
    if cleaned["site"]:
        site: Site = cleaned["site"]
        return site
    chosen = cleaned["organization"]
    try:
        organization = chosen_organization(
            actor, Role.ADMIN, organization_id=chosen.pk if chosen else None
        )
        return add_site(organization, name=cleaned["new_site"], at=now())
    except ValidationError as error:
        form.add_error("new_site", error.messages)
        return None
