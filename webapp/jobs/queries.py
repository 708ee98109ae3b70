"""Reads about jobs, workers and the schedule."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from webapp.accounts.models import Role
from webapp.accounts.tenancy import Actor
from webapp.jobs.models import Job, Schedule, Worker

SILENT: Final = timedelta(seconds=30)


def live_workers(*, at: datetime) -> list[Worker]:
    """Return the workers that were heard of lately, oldest first."""
    return list(Worker.objects.filter(seen_at__gte=at - SILENT).order_by("started_at"))


def has_live_worker(*, at: datetime) -> bool:
    """Return whether any worker was heard of lately."""
    return Worker.objects.filter(seen_at__gte=at - SILENT).exists()


def steerable(jobs: Iterable[Job], actor: Actor) -> frozenset[UUID]:
    """Return which of the actor's jobs they may cancel or start again: their own; an admin, all."""
    ids = [job.pk for job in jobs]
    of_admins = Job.objects.for_actor(actor, Role.ADMIN).filter(pk__in=ids)
    own = Job.objects.for_actor(actor).filter(pk__in=ids, created_by=actor.pk)
    return frozenset((of_admins | own).values_list("pk", flat=True))


def schedule() -> list[Schedule]:
    """Return the hub's periodic work, what is done next first."""
    return list(Schedule.objects.order_by("next_at"))
