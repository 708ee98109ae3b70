"""Writes to jobs by whoever wants something done, and by the sweep that mends what broke."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from django.db import transaction
from django_tasks_db.models import DBTaskResult

from webapp.accounts.models import Organization, User
from webapp.common.changes import record_change
from webapp.jobs.backoff import pause_after
from webapp.jobs.delivery import deliver
from webapp.jobs.models import Job, Worker

MAX_LOST: Final = 5
"""A job that took so many workers down with it, and came no further, is not tried again."""
MAX_ERROR: Final = 2000
DELIVERY_TIME: Final = timedelta(seconds=30)
"""A waiting job with no delivery under way after so long has lost it."""
KEPT: Final = timedelta(days=7)
_SWEPT_AT_ONCE: Final = 100

log = structlog.get_logger(__name__)


class AlreadyFinished(Exception):
    """The job is over: there is nothing left to cancel or to start again."""


class JobAction(Protocol):
    """Something done to one job; raises `AlreadyFinished`."""

    def __call__(self, job: Job, /, *, at: datetime) -> Job: ...


@transaction.atomic
def enqueue_job(
    *,
    kind: str,
    arguments: Mapping[str, object],
    organization: Organization,
    by: User | None,
    at: datetime,
    title: str = "",
) -> Job:
    """Have the task named `kind` done by a worker, once, also if workers die on the way.

    `title` is what people read; made from `kind` when empty.
    """
    job = Job(
        kind=kind,
        title=title,
        arguments=dict(arguments),
        organization=organization,
        created_by=by,
        created_at=at,
        lease_expires_at=at + DELIVERY_TIME,
    )
    job.delivery = deliver(job)
    job.save()
    tell(job, at=at)
    return job


@transaction.atomic
def announce_job(  # noqa: PLR0913 - what `enqueue_job` is told, and until when
    *,
    kind: str,
    arguments: Mapping[str, object],
    organization: Organization,
    by: User | None,
    at: datetime,
    starts_by: datetime,
    title: str = "",
) -> Job:
    """Write down work that cannot begin yet: `redeliver` begins it, or `starts_by` at the latest.

    From now on people see it, and can cancel it.
    """
    job = Job.objects.create(
        kind=kind,
        title=title,
        arguments=dict(arguments),
        organization=organization,
        created_by=by,
        created_at=at,
        lease_expires_at=starts_by,
    )
    tell(job, at=at)
    return job


@transaction.atomic
def cancel_job(job: Job, *, at: datetime) -> Job:
    """Cancel a waiting job now, a running one at its next step; raise `AlreadyFinished`."""
    job = Job.objects.select_for_update().get(pk=job.pk)
    if job.is_finished:
        raise AlreadyFinished(f"the job is {job.get_state_display().lower()} already")
    job.is_cancel_wanted = True
    if job.state == Job.State.WAITING:
        job.state = Job.State.CANCELLED
        job.error = ""
        job.finished_at = at
    job.save(update_fields=["is_cancel_wanted", "state", "error", "finished_at"])
    tell(job, at=at)
    return job


@transaction.atomic
def retry_job(job: Job, *, at: datetime) -> Job:
    """Start a failed job again; raise `AlreadyFinished` for one that did not fail."""
    job = Job.objects.select_for_update().get(pk=job.pk)
    if job.state != Job.State.FAILED:
        raise AlreadyFinished(f"the job is {job.get_state_display().lower()}, it did not fail")
    job.is_cancel_wanted = False
    job.started_at = None
    job.n_failures = job.n_lost = 0
    redeliver(job, at=at)
    return job


def redeliver(job: Job, *, at: datetime, pause: timedelta | None = None, because: str = "") -> None:
    """Send a locked job on its way once more; an attempt that still runs becomes powerless.

    With `pause`, not before it is over; `because` tells people why it waits.
    """
    job.state = Job.State.WAITING
    job.error = because[:MAX_ERROR]
    job.finished_at = None
    job.rate = None
    job.due_at = at + pause if pause else None
    job.delivery = deliver(job)
    job.lease_expires_at = (job.due_at or at) + DELIVERY_TIME
    job.save()
    tell(job, at=at)


def sweep_jobs(*, at: datetime) -> int:
    """Start again what lost its worker or its delivery; return how many.

    django-tasks never takes back a task whose worker died: the Job row knows, by its lease.
    """
    overdue = Job.objects.filter(
        state__in=(Job.State.WAITING, Job.State.RUNNING), lease_expires_at__lt=at
    ).exclude(
        state=Job.State.WAITING,
        delivery__in=DBTaskResult.objects.filter(status="READY").values("id"),
    )
    if not overdue.exists():  # a read: nothing is locked while nothing is wrong
        return 0
    with transaction.atomic():
        jobs = list(overdue.select_for_update(skip_locked=True, of=("self",))[:_SWEPT_AT_ONCE])
        for job in jobs:
            _mend(job, at=at)
    return len(jobs)


def forget_finished(*, at: datetime) -> None:
    """Delete old rows that nobody will ask for: the hub's own finished jobs, and deliveries."""
    Job.objects.filter(
        created_by=None, state__in=(Job.State.DONE, Job.State.CANCELLED), finished_at__lt=at - KEPT
    ).delete()
    DBTaskResult.objects.filter(finished_at__lt=at - timedelta(hours=1)).delete()
    Worker.objects.filter(seen_at__lt=at - timedelta(days=1)).delete()


def tell(job: Job, *, at: datetime) -> None:
    """Tell pages that a job changed, if a person waits for it."""
    if job.created_by_id is not None:
        record_change(job.organization_id, "jobs", at=at)


def _mend(job: Job, *, at: datetime) -> None:
    log.warning("job.lost", job_id=str(job.id), kind=job.kind, attempt=job.attempt)
    if job.state == Job.State.RUNNING:  # else only its delivery got lost
        job.n_lost += 1
    if job.is_cancel_wanted:
        job.state = Job.State.CANCELLED
    elif job.n_lost >= MAX_LOST:
        job.state = Job.State.FAILED
        job.error = f"Its worker stopped in the middle {job.n_lost} times."
    else:
        redeliver(job, at=at, pause=pause_after(job.n_lost - 1) if job.n_lost > 1 else None)
        return
    job.finished_at = at
    job.save(update_fields=["state", "error", "finished_at", "n_lost"])
    tell(job, at=at)
