"""Background work in the admin: how far it is; cancel it, or start a failed one again."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django_tasks_db.models import DBTaskResult

from webapp.accounts.models import Role
from webapp.accounts.owned_admin import OwnedAdmin, OwnRelatedFilter
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.theme import badge
from webapp.jobs.actions import AlreadyFinished, JobAction, cancel_job, retry_job
from webapp.jobs.models import Job

admin.site.unregister(DBTaskResult)  # deliveries are plumbing; a person looks at jobs


@admin.register(Job)
class JobAdmin(OwnedAdmin[Job]):
    list_display = ("created_at", "kind", "status", "progress", "created_by", "attempt", "error")
    list_filter = ("state", "kind", ("organization", OwnRelatedFilter))
    list_select_related = ("created_by",)
    search_fields = ("kind", "error", "created_by__username")
    actions = ("cancel", "retry")

    @badge(
        "State",
        {"done": "success", "running": "info", "failed": "danger", "cancelled": "warning"},
        ordering="state",
    )
    def status(self, job: Job) -> str:
        return job.state

    @admin.display(description="Progress")
    def progress(self, job: Job) -> str:
        return f"{job.n_done} of {job.n_total}" if job.n_total else ""

    @admin.action(description="Cancel")
    def cancel(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._do(request, jobs, cancel_job, "cancelled")

    @admin.action(description="Start again, if failed")
    def retry(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        self._do(request, jobs, retry_job, "started again")

    def _do(self, request: HttpRequest, jobs: QuerySet[Job], action: JobAction, done: str) -> None:
        mine = Job.objects.for_actor(actor_of(request), Role.ADMIN).filter(pk__in=jobs)
        refusals: list[str] = []
        for job in mine:
            try:
                action(job, at=now())
            except AlreadyFinished as error:
                refusals.append(f"{job.kind}: {error}")
        messages.success(request, f"{len(mine) - len(refusals)} jobs are {done}.")
        for words in refusals:
            messages.warning(request, words)
