"""One attempt at a job, as its task sees it: what to do, how far it is, whether to go on."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from webapp.accounts.models import Organization
from webapp.jobs.actions import MAX_ERROR, redeliver, tell
from webapp.jobs.backoff import pause_after
from webapp.jobs.interruptions import CancelWanted, StopSign, Superseded, WorkerStops
from webapp.jobs.models import Job

PROGRESS_EVERY: Final = timedelta(seconds=0.5)
MAX_CHECKPOINT: Final = 64 * 1024
"""Bytes of JSON."""
MAX_FAILURES: Final = 6
"""With the pauses of `webapp.jobs.backoff`: given up after about three minutes."""
_SMOOTHING: Final = 0.3
"""How much the newest piece of progress counts in the rate."""


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
    checkpoint: dict[str, object] = field(default_factory=dict)
    """What the last attempt to call `keep` said; empty at first."""
    is_finished: bool = field(default=False, init=False)
    _told: tuple[datetime, int] | None = field(default=None, init=False)
    """When progress was last written, and how far it was."""
    _rate: float | None = field(default=None, init=False)

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
        is_due = self._told is None or at - self._told[0] >= PROGRESS_EVERY
        if n_total and (is_due or n_done == n_total):
            self._measure(n_done, at)
            with transaction.atomic():
                self.rows().update(n_done=n_done, n_total=n_total, rate=self._rate)
                tell(Job.objects.get(pk=self.job_id), at=at)

    def keep(self, checkpoint: dict[str, object]) -> None:
        """Remember where to go on, at once; raise `Superseded`, or `ValueError` when too large.

        A job that comes further has its failures so far forgiven. What the checkpoint speaks of
        must be written before it, or in the same transaction.
        """
        if len(json.dumps(checkpoint)) > MAX_CHECKPOINT:
            raise ValueError(f"a checkpoint has at most {MAX_CHECKPOINT} bytes of JSON")
        if not self.rows().update(checkpoint=checkpoint, n_failures=0, n_lost=0):
            raise Superseded
        self.checkpoint = checkpoint

    def _measure(self, n_done: int, at: datetime) -> None:
        """Take progress since the last time into the rate."""
        if self._told is not None and (passed_s := (at - self._told[0]).total_seconds()) > 0:
            newest = max(n_done - self._told[1], 0) / passed_s
            old = newest if self._rate is None else self._rate
            self._rate = old + _SMOOTHING * (newest - old)
        self._told = (at, n_done)

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
        job.n_done = job.n_done if job.checkpoint else 0
        job.due_at = None
        job.error = ""
        job.started_at = job.started_at or at
        job.lease_expires_at = at + lease
        job.save()
        tell(job, at=at)
    return Attempt(
        job_id=job.id,
        kind=job.kind,
        number=number,
        organization=job.organization,
        arguments=job.arguments,
        clock=clock,
        stop_sign=stop_sign,
        checkpoint=job.checkpoint,
    )


def extend_lease(attempt: Attempt, *, lease: timedelta) -> None:
    """Say that the attempt's worker is alive."""
    attempt.rows().update(lease_expires_at=attempt.clock() + lease)


def give_up(attempt: Attempt, *, state: Job.State, error: str = "", anew: bool = False) -> None:
    """End the job without success, unless another attempt has it.

    With `anew`, whoever starts it again starts at its beginning: its checkpoint may be to blame.
    """
    with transaction.atomic():
        job = attempt.rows().select_for_update(of=("self",)).first()
        if job is not None:
            _end(job, state=state, error=error, at=attempt.clock())
            if anew:
                Job.objects.filter(pk=job.pk).update(checkpoint={})


def hand_back(attempt: Attempt) -> None:
    """Let the next worker start the job again, at once."""
    with transaction.atomic():
        job = attempt.rows().select_for_update(of=("self",)).first()
        if job is not None:
            redeliver(job, at=attempt.clock())


def try_again_later(attempt: Attempt, *, because: str) -> None:
    """Have the job done again after a pause; after `MAX_FAILURES` in a row it has failed."""
    with transaction.atomic():
        job = attempt.rows().select_for_update(of=("self",)).first()
        if job is None:
            return
        job.n_failures += 1
        if job.is_cancel_wanted:
            _end(job, state=Job.State.CANCELLED, at=attempt.clock())
        elif job.n_failures >= MAX_FAILURES:
            error = f"Tried {job.n_failures} times. {because}"
            _end(job, state=Job.State.FAILED, error=error, at=attempt.clock())
        else:
            pause = pause_after(job.n_failures)
            redeliver(job, at=attempt.clock(), pause=pause, because=because)


def _end(job: Job, *, state: Job.State, at: datetime, error: str = "") -> None:
    job.state = state
    job.error = error[:MAX_ERROR]
    job.finished_at = at
    job.save(update_fields=["state", "error", "finished_at", "n_failures"])
    tell(job, at=at)
