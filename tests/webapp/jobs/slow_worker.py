"""A worker process for tests: it knows slow kinds of work, which leave a mark when done.

Arguments: how long its lease is in seconds, and how many steps its hourly work takes (0: none).
"""

import sys
import time
from datetime import timedelta
from typing import Final

import django

from webapp.env import default_settings_module

default_settings_module()
django.setup()

from django.db import transaction  # noqa: E402 - Django first

from webapp.common.clock import now  # noqa: E402 - Django first
from webapp.events.models import Event  # noqa: E402 - Django first
from webapp.jobs.attempts import Attempt  # noqa: E402 - Django first
from webapp.jobs.registry import does, every  # noqa: E402 - Django first
from webapp.jobs.ticks import Tick  # noqa: E402 - Django first
from webapp.jobs.worker import JobWorker, stop_on_signals  # noqa: E402 - Django first

LEASE: Final = timedelta(seconds=float(sys.argv[1]))
N_PERIODIC: Final = int(sys.argv[2])


def leave_mark(attempt: Attempt, title: str) -> None:
    at = attempt.clock()
    Event.objects.create(
        organization=attempt.organization,
        kind="test.slow",
        severity="info",
        title=title,
        occurred_at=at,
        received_at=at,
    )


@does("test.slow")
def slow(attempt: Attempt) -> None:
    """Take `steps` steps of 50 ms, then tell the world."""
    n_steps = int(str(attempt.arguments["steps"]))
    for n_done in range(n_steps):
        attempt.step(n_done, n_steps)
        time.sleep(0.05)
    with attempt.finishing():
        leave_mark(attempt, f"attempt {attempt.number}")


@does("test.piecewise")
def piecewise(attempt: Attempt) -> None:
    """Do `steps` pieces of 50 ms; what is done stays done."""
    n_steps = int(str(attempt.arguments["steps"]))
    for piece in range(int(str(attempt.checkpoint.get("next", 0))), n_steps):
        attempt.step(piece, n_steps)
        time.sleep(0.05)
        with transaction.atomic():
            attempt.keep({"next": piece + 1})
            leave_mark(attempt, f"piece {piece} by {attempt.number}")


@does("test.deaf")
def deaf(attempt: Attempt) -> None:
    """Take no step for a long time."""
    attempt.step(0, 1)
    time.sleep(60)


if N_PERIODIC:

    @every(timedelta(hours=1), kind="test.hourly")
    def hourly(tick: Tick) -> None:
        """Take many small steps."""
        for n_done in range(N_PERIODIC):
            tick.step(n_done, N_PERIODIC)
            time.sleep(0.05)


worker = JobWorker(clock=now, lease=LEASE)
stop_on_signals(worker)
worker.run()
