"""Doing a job: call its task, and turn every way it may end into a state of the row."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import OperationalError

from webapp.common.metrics import JOB_SECONDS
from webapp.jobs.attempts import Attempt, begin_attempt, give_up, hand_back, try_again_later
from webapp.jobs.interruptions import (
    CancelWanted,
    CannotBeDone,
    MayPass,
    StopSign,
    Superseded,
    WorkerStops,
)
from webapp.jobs.models import Job
from webapp.jobs.registry import Handler

log = structlog.get_logger(__name__)


@dataclass
class JobRunner:
    """What a worker does with a delivered job. Runs one at a time."""

    handlers: Mapping[str, Handler]
    clock: Callable[[], datetime]
    lease: timedelta
    stop_sign: StopSign = field(default_factory=StopSign)
    current: Attempt | None = field(default=None, init=False)
    """Read by the thread that keeps the lease."""

    def run(self, job_id: UUID, number: int) -> None:
        """Do this attempt, if it is still wanted."""
        attempt = begin_attempt(
            job_id, number, lease=self.lease, clock=self.clock, stop_sign=self.stop_sign
        )
        if attempt is None:
            return
        self.current = attempt
        try:
            with (
                structlog.contextvars.bound_contextvars(job=str(job_id)),
                JOB_SECONDS.labels(attempt.kind).time(),
            ):
                self._do(attempt)
        finally:
            self.current = None

    def _do(self, attempt: Attempt) -> None:
        said = log.bind(job_id=str(attempt.job_id), kind=attempt.kind, attempt=attempt.number)
        try:
            attempt.step()
            self._call(attempt)
        except CancelWanted:
            give_up(attempt, state=Job.State.CANCELLED)
            said.info("job.cancelled")
        except Superseded:
            said.warning("job.superseded")
        except WorkerStops:  # the job is fine, the place is not
            hand_back(attempt)
            said.info("job.handed_back")
        except MayPass as reason:
            try_again_later(attempt, because=str(reason))
            said.warning("job.postponed", reason=str(reason))
        except OperationalError as error:
            try_again_later(attempt, because="The database did not do what was asked of it.")
            said.warning("job.postponed", reason=str(error))
        except CannotBeDone as reason:
            give_up(attempt, state=Job.State.FAILED, error=str(reason))
            said.warning("job.failed", reason=str(reason))
        except Exception:  # noqa: BLE001 - one broken job must not stop the worker
            reference = secrets.token_hex(4)
            said.exception("job.crashed", reference=reference)
            words = f"Something broke on our side. Its reference in the log is {reference}."
            give_up(attempt, state=Job.State.FAILED, error=words, anew=True)

    def _call(self, attempt: Attempt) -> None:
        handler = self.handlers.get(attempt.kind)
        if handler is None:
            raise CannotBeDone(f"No worker knows how to do {attempt.kind!r}.")
        handler(attempt)
        if not attempt.is_finished:
            with attempt.finishing():
                pass
