"""The page where labelers bring pictures and sets from elsewhere, and see what came of them.

Files are announced and sent by the API (`webapp.datasets.api`); the page's script does that.
"""

from http import HTTPStatus
from typing import Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.models import Role
from webapp.accounts.permissions import requires
from webapp.accounts.queries import organizations_where
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import is_htmx, page
from webapp.datasets.actions import IMPORT_SET
from webapp.datasets.import_rows import import_rows
from webapp.datasets.uploads import MAX_BYTES
from webapp.jobs.actions import AlreadyFinished, cancel_job
from webapp.jobs.models import Job
from webapp.jobs.queries import has_live_worker, steerable

PAGE_SIZE: Final = 20


class _Place(forms.Form):
    """Where a page of the list begins."""

    after = forms.UUIDField(required=False)


@require_safe
@requires(Role.LABELER)
def imports(request: HttpRequest) -> HttpResponse:
    """Show the imports, newest first; htmx gets the list alone."""
    user = actor_of(request)
    place = _Place(request.GET)
    after: UUID | None = place.cleaned_data["after"] if place.is_valid() else None
    jobs = Job.objects.for_actor(user, Role.LABELER).filter(kind=IMPORT_SET)
    if after is not None:
        jobs = jobs.filter(pk__lt=after)  # ids rise with time
    found = list(jobs.select_related("created_by", "organization").order_by("-pk")[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    organizations = list(organizations_where(user, Role.LABELER))
    context = {
        "rows": import_rows(shown, steerable=steerable(shown, user)),
        "after": after,
        "older": shown[-1].pk if len(found) > PAGE_SIZE else None,
        "organizations": organizations if len(organizations) > 1 else (),
        "is_worker_missing": any(not job.is_finished for job in shown)
        and not has_live_worker(at=now()),
        "most_bytes": MAX_BYTES,
        "nobody": UUID(int=0),
    }
    return page(request, "datasets/imports.html", context, part="datasets/_imports.html")


@require_POST
@requires(Role.LABELER)
def cancel_import(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Call an import off: one's own, or any for an admin."""
    user = actor_of(request)
    mine = Job.objects.for_actor(user, Role.LABELER).filter(kind=IMPORT_SET)
    job = get_object_or_404(mine, pk=job_id)
    if job.pk not in steerable([job], user):
        raise PermissionDenied
    try:
        cancel_job(job, at=now())
    except AlreadyFinished as error:
        messages.warning(request, f"{str(error).capitalize()}.")
    if not is_htmx(request):
        return redirect("imports")
    # The list fetches itself anew, so that it is that of the page; the button may be gone by now.
    renew = '{"fw:jobs": {"target": "body"}}'
    return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Trigger": renew})
