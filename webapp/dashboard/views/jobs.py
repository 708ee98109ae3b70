"""The jobs page: what is done in the background, for whom, how far, and calling it off."""

from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.models import Role, User
from webapp.accounts.permissions import has_role
from webapp.accounts.queries import organizations_of
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import is_htmx, page
from webapp.dashboard.job_filter import ENDED, UNDER_WAY, JobFilter
from webapp.dashboard.job_rows import job_rows
from webapp.jobs.actions import AlreadyFinished, cancel_job, retry_job
from webapp.jobs.models import Job
from webapp.jobs.queries import live_workers, schedule, steerable

PAGE_SIZE = 30
MAX_UNDER_WAY = 100


@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """Show the jobs under way, then those that ended, newest first; htmx gets the rows alone."""
    actor, at = actor_of(request), now()
    chosen = JobFilter(request.GET)
    status = HTTPStatus.OK if chosen.is_valid() else HTTPStatus.BAD_REQUEST
    query = request.GET.copy()
    query.pop("after", None)
    context: dict[str, object] = {
        "form": chosen,
        "query": query.urlencode(),
        "workers": live_workers(at=at),
        "at": at,
        "is_hubs_admin": actor.is_superuser,
        "schedule": schedule() if has_role(actor, Role.ADMIN) else (),
    }
    if status == HTTPStatus.OK:
        context |= _found(chosen, actor)
    return page(request, "dashboard/jobs.html", context, part="dashboard/_jobs.html", status=status)


@require_POST
def cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Call a job off: one's own, or any for an admin."""
    return _steer(request, job_id, lambda job: cancel_job(job, at=now()))


@require_POST
def retry(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Start a failed job again: one's own, or any for an admin."""
    return _steer(request, job_id, lambda job: retry_job(job, at=now()))


def _found(chosen: JobFilter, actor: User) -> dict[str, object]:
    """Return what the rows of the page show."""
    at = now()
    mine = Job.objects.for_actor(actor).select_related("created_by", "organization")
    wanted = chosen.narrowed(mine, by=actor)
    under_way: list[Job] = []
    if chosen.last_seen is None:
        open_jobs = wanted.filter(state__in=set(chosen.states()) & set(UNDER_WAY))
        under_way = list(open_jobs.order_by("state", "pk")[:MAX_UNDER_WAY])  # running, waiting
    ended, older = _page(
        wanted.filter(state__in=set(chosen.states()) & set(ENDED)), after=chosen.last_seen
    )
    return {
        "under_way": job_rows(under_way, actor=actor, at=at),
        "ended": job_rows(ended, actor=actor, at=at),
        "older": older,
        "is_first": chosen.last_seen is None,
        "is_filtered": chosen.is_narrow,
        "names_organization": len(organizations_of(actor)) > 1,
    }


def _page(jobs: QuerySet[Job], *, after: UUID | None) -> tuple[list[Job], UUID | None]:
    """Return jobs newest first, and after which one the next page begins; ids rise with time."""
    if after is not None:
        jobs = jobs.filter(pk__lt=after)
    found = list(jobs.order_by("-pk")[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    return shown, shown[-1].pk if len(found) > PAGE_SIZE else None


def _steer(request: HttpRequest, job_id: UUID, action: Callable[[Job], Job]) -> HttpResponse:
    actor = actor_of(request)
    job = get_object_or_404(Job.objects.for_actor(actor), pk=job_id)
    if job.pk not in steerable([job], actor):
        raise PermissionDenied
    try:
        action(job)
    except AlreadyFinished as error:
        messages.warning(request, f"{str(error).capitalize()}.")
    if not is_htmx(request):
        return redirect("jobs")
    # The rows fetch themselves anew, so that they are those of the page's filter.
    return HttpResponse(status=HTTPStatus.NO_CONTENT, headers={"HX-Trigger": "fw:jobs"})
