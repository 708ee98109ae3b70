"""The card where labelers export what they corrected: start, watch, cancel, download."""

from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.models import Role, User
from webapp.accounts.permissions import requires
from webapp.accounts.queries import chosen_organization
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import page
from webapp.datasets.actions import (
    DEFAULT_FORMAT,
    EXPORT_SET,
    FORMATS,
    TooManyExports,
    request_export,
)
from webapp.datasets.queries import is_export_open_to
from webapp.jobs.actions import AlreadyFinished, cancel_job
from webapp.jobs.models import Job
from webapp.jobs.queries import steerable

SHOWN = 3


@require_safe
@requires(Role.LABELER)
def exports(request: HttpRequest) -> HttpResponse:
    """Show the newest exports and how far they are."""
    return _card(request, actor_of(request))


@require_POST
@requires(Role.LABELER)
def start_export(request: HttpRequest) -> HttpResponse:
    """Start an export of all that is annotated."""
    user = actor_of(request)
    try:
        organization = chosen_organization(user, Role.LABELER, organization_id=None)
        said = request.POST.get("format")
        format_ = next((each for each in FORMATS if each == said), DEFAULT_FORMAT)
        request_export(organization=organization, camera_ids=[], by=user, at=now(), format=format_)
    except TooManyExports:
        return _card(request, user, "Some exports are not done yet: wait for them, or cancel them.")
    except ValidationError as error:
        return _card(request, user, " ".join(error.messages))
    return _card(request, user)


@require_POST
@requires(Role.LABELER)
def cancel_export(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Call an export off: one's own, or any for an admin."""
    user = actor_of(request)
    job = get_object_or_404(_exports_of(user), pk=job_id)
    if job.pk not in steerable([job], user):
        raise PermissionDenied
    try:
        cancel_job(job, at=now())
    except AlreadyFinished:
        return _card(request, user, "That export had ended already.")
    return _card(request, user)


def _card(request: HttpRequest, user: User, warning: str = "") -> HttpResponse:
    shown = list(_exports_of(user)[:SHOWN])
    context = {
        "warning": warning,
        "formats": FORMATS.items(),
        "exports": shown,
        "steerable": steerable(shown, user),
    }
    return page(request, "datasets/_exports.html", context)


def _exports_of(user: User) -> QuerySet[Job]:
    exports = Job.objects.for_actor(user, Role.LABELER).filter(kind=EXPORT_SET)
    return exports.filter(is_export_open_to(user))
