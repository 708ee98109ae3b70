"""Jobs as the page tells them: how far, how long still, what may be done."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.urls import reverse

from webapp.accounts.models import User
from webapp.dashboard.templatetags.event_times import duration
from webapp.dashboard.templatetags.ui import compact
from webapp.datasets.actions import EXPORT_SET
from webapp.jobs.models import Job
from webapp.jobs.queries import steerable

_TONES: Final = {
    Job.State.RUNNING: "info",
    Job.State.DONE: "ok",
    Job.State.FAILED: "err",
    Job.State.CANCELLED: "warn",
}
_DOWNLOADS: Final = {EXPORT_SET: "export-file"}
"""Kinds whose result is a file, and the route that gives it."""


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job on the page."""

    job: Job
    tone: str
    facts: tuple[str, ...]
    """How far and how long, in words."""
    may_cancel: bool
    may_retry: bool
    download: str
    """Where its result is; empty when there is no file."""


def job_rows(jobs: Iterable[Job], *, actor: User, at: datetime) -> list[JobRow]:
    """Return the jobs as `actor` sees them."""
    found = list(jobs)
    mine = steerable(found, actor)
    return [_row(job, is_mine=job.pk in mine, at=at) for job in found]


def _row(job: Job, *, is_mine: bool, at: datetime) -> JobRow:
    route = _DOWNLOADS.get(job.kind) if job.state == Job.State.DONE else None
    return JobRow(
        job=job,
        tone=_TONES.get(Job.State(job.state), ""),
        facts=tuple(_facts(job, at=at)),
        may_cancel=is_mine and not job.is_finished and not job.is_cancel_wanted,
        may_retry=is_mine and job.state == Job.State.FAILED,
        download=reverse(route, args=[job.pk]) if route else "",
    )


def _facts(job: Job, *, at: datetime) -> Iterable[str]:
    if job.state == Job.State.WAITING:
        yield _waiting(job, at=at)
    elif job.state == Job.State.RUNNING:
        yield from _progress(job)
    elif (lasted := job.lasted(at=at)) is not None:
        yield f"took {duration(lasted)}"
    if job.attempt > 1:
        yield f"attempt {job.attempt}"


def _progress(job: Job) -> Iterable[str]:
    if job.is_cancel_wanted:
        yield "stops at its next step"
    if job.n_total:
        yield f"{compact(job.n_done)} of {compact(job.n_total)}"
    if job.rate:
        yield _speed(job.rate)
    if job.time_left is not None:
        yield f"about {duration(job.time_left)} left"


def _waiting(job: Job, *, at: datetime) -> str:
    if job.due_at is not None and job.due_at > at:
        return f"tried again in {duration(job.due_at - at)}"
    return "waits for its turn"


def _speed(rate: float) -> str:
    return f"{compact(rate)}/s" if rate >= 1 else f"{compact(rate * 60)}/min"
