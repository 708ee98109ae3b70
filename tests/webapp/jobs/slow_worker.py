"""A worker process for tests: it knows one slow kind of job, which leaves a mark when done."""

import sys
import time
from datetime import timedelta

import django

from webapp.env import default_settings_module

default_settings_module()
django.setup()

from webapp.common.clock import now  # noqa: E402 - Django first
from webapp.events.models import Event  # noqa: E402 - Django first
from webapp.jobs.attempts import Attempt  # noqa: E402 - Django first
from webapp.jobs.registry import does  # noqa: E402 - Django first
from webapp.jobs.worker import JobWorker, stop_on_signals  # noqa: E402 - Django first


@does("test.slow")
def slow(attempt: Attempt) -> None:
    """Take `steps` steps of 50 ms, then tell the world."""
    n_steps = int(str(attempt.arguments["steps"]))
    for n_done in range(n_steps):
        attempt.step(n_done, n_steps)
        time.sleep(0.05)
    with attempt.finishing():
        at = attempt.clock()
        Event.objects.create(
            organization=attempt.organization,
            kind="test.slow",
            severity="info",
            title=f"attempt {attempt.number}",
            occurred_at=at,
            received_at=at,
        )


@does("test.deaf")
def deaf(attempt: Attempt) -> None:
    """Take no step for a long time."""
    attempt.step(0, 1)
    time.sleep(60)


worker = JobWorker(clock=now, lease=timedelta(seconds=float(sys.argv[1])))
stop_on_signals(worker)
worker.run()
