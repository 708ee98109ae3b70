"""From a Job row to a worker: what django-tasks carries is the job's id and which attempt it is."""

from collections.abc import Callable
from uuid import UUID

from django_tasks import task

from webapp.jobs.models import Job

Runner = Callable[[UUID, int], None]
_installed: list[Runner] = []


@task()
def run_job(job_id: str, attempt: int) -> None:
    """Do one attempt of a job. Only a worker gets here, after `install_runner`."""
    for runner in _installed:
        runner(UUID(job_id), attempt)


def install_runner(runner: Runner) -> None:
    """Say what runs a job in this process, which thereby is a worker."""
    _installed[:] = [runner]


def deliver(job: Job) -> UUID:
    """Send the job's next attempt to a worker, in the caller's transaction; return the row's id.

    A worker takes it when `job.due_at` has come, before others of a lower priority.
    """
    sent = run_job.using(priority=job.priority, run_after=job.due_at)
    return UUID(sent.enqueue(str(job.id), job.attempt + 1).id)
