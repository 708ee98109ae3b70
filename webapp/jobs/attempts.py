"""One attempt at a job, as its task sees it: what to do, how far it is, whether to go on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from webapp.accounts.models import Organization
from webapp.jobs.actions import redeliver, tell
from webapp.jobs.models import Job

PROGRESS_EVERY: Final = timedelta(seconds=0.5)


class CannotBeDone(Exception):
    """The job will never succeed as it is; the text is for whoever asked for it."""


class Interrupted(Exception):
    """This attempt must stop at once."""


class CancelWanted(Interrupted):
    """A person cancelled the job."""


class Superseded(Interrupted):
    """Another attempt has taken over, or the job is over: this one may not write any more."""


class WorkerStops(Interrupted):
    """The worker was asked to stop; the job goes to the next one."""


@dataclass
class StopSign:
    """Set by the worker's signal handler, read at every step."""

    is_up: bool = False


@dataclass
class Attempt:
    """What a task is given. It calls `step` often, and ends inside `finishing`."""

    job_id: UUID
    kind: str
    number: int
    """Fencing token: the row's `attempt` while this one is the newest."""
    organization: Organization
    arguments: dict[str, object]
    clock: Callable[[], datetime]
    stop_sign: StopSign
    is_finished: bool = field(default=False, init=False)
    _told_at: datetime | None = field(default=None, init=False)

    def step(self, n_done: int = 0, n_total: int = 0) -> None:
        """Say how far the job is and whether it may go on; raise `Interrupted`."""
        if self.stop_sign.is_up:
            raise WorkerStops
        wanted = self.rows().values_list("is_cancel_wanted", flat=True).first()
        if wanted is None:
            raise Superseded
        if wanted:
            raise CancelWanted
        at = self.clock()
        is_due = self._told_at is None or at - self._told_at >= PROGRESS_EVERY
        if n_total and (is_due or n_done == n_total):
            self._told_at = at
            with transaction.atomic():
                self.rows().update(n_done=n_done, n_total=n_total)
                tell(Job.objects.get(pk=self.job_id), at=at)

    @contextmanager
    def finishing(self) -> Iterator[dict[str, object]]:
        """Write the outcome and the job's end in one transaction; raise `Superseded`.

        Yields the job's result, to be filled in. Whatever the block writes is there exactly once,
        however many attempts came this far.
        """
        with transaction.atomic():
            job = self.rows().select_for_update(of=("self",)).first()
            if job is None:
                raise Superseded
            result: dict[str, object] = {}
            yield result
            job.state = Job.State.DONE
            job.result = result
            job.n_done = job.n_total
            job.finished_at = self.clock()
            job.save(update_fields=["state", "result", "n_done", "finished_at"])
            tell(job, at=job.finished_at)
        self.is_finished = True

    def rows(self) -> QuerySet[Job]:
        """Return the job's row while this attempt may write it, else nothing."""
        return Job.objects.filter(pk=self.job_id, attempt=self.number, state=Job.State.RUNNING)


def begin_attempt(
    job_id: UUID,
    number: int,
    *,
    lease: timedelta,
    clock: Callable[[], datetime],
    stop_sign: StopSign,
) -> Attempt | None:
    """Take the job for this attempt; None when it is somebody else's, over, or cancelled."""
    with transaction.atomic():
        waiting = Job.objects.filter(pk=job_id, attempt=number - 1, state=Job.State.WAITING)
        job = waiting.select_for_update(of=("self",)).first()
        if job is None:
            return None
        at = clock()
        job.state = Job.State.RUNNING
        job.attempt = number
        job.n_done = 0
        job.lease_expires_at = at + lease
        job.save(update_fields=["state", "attempt", "n_done", "lease_expires_at"])
        tell(job, at=at)
    return Attempt(
        job_id=job.id,
        kind=job.kind,
        number=number,
        organization=job.organization,
        arguments=job.arguments,
        clock=clock,
        stop_sign=stop_sign,
    )


def extend_lease(attempt: Attempt, *, lease: timedelta) -> None:
    """Say that the attempt's worker is alive."""
    attempt.rows().update(lease_expires_at=attempt.clock() + lease)


def give_up(attempt: Attempt, *, state: Job.State, error: str = "") -> None:
    """End the job without success, unless another attempt has it."""
    with transaction.atomic():
        job = attempt.rows().select_for_update(of=("self",)).first()
        if job is not None:
            job.state = state
            job.error = error[:2000]
            job.finished_at = attempt.clock()
            job.save(update_fields=["state", "error", "finished_at"])
            tell(job, at=job.finished_at)


def hand_back(attempt: Attempt) -> None:
    """Let the next worker start the job again, at once."""
    with transaction.atomic():
        job = attempt.rows().select_for_update(of=("self",)).first()
        if job is not None:
            redeliver(job, at=attempt.clock())
