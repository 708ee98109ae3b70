"""A job outlives its worker: killed or told to stop, the next worker does it, once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from django.db import connection

from webapp.accounts.models import Organization
from webapp.common.clock import now
from webapp.env import BASE_DIR
from webapp.events.models import Event
from webapp.jobs.actions import cancel_job, enqueue_job
from webapp.jobs.models import Job, Schedule

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = Path(__file__).with_name("slow_worker.py")


class Start(Protocol):
    """Start a real worker on the test's database; with hourly work of so many steps."""

    def __call__(self, *, n_periodic: int = 0) -> subprocess.Popen[bytes]: ...


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[Start]:
    running: list[subprocess.Popen[bytes]] = []
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "FARWATCH_DATA_DIR": str(tmp_path),
        "FARWATCH_SQLITE_CHECKPOINTS": "false",
        "PYTHONPATH": str(BASE_DIR),
    }

    def start(*, n_periodic: int = 0) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(SCRIPT), "1", str(n_periodic)]
        process = subprocess.Popen(command, env=environment)
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


def database_url() -> str:
    parts = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{parts['NAME']}"
    login = f"{parts['USER']}:{parts['PASSWORD']}"
    return f"postgres://{login}@{parts['HOST']}:{parts['PORT']}/{parts['NAME']}"


def enqueue(acme: Organization, kind: str = "test.slow", steps: int = 30) -> Job:
    return enqueue_job(kind=kind, arguments={"steps": steps}, organization=acme, by=None, at=now())


def wait_for(job: Job, condition: Callable[[Job], bool], *, within_s: float = 120.0) -> None:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        job.refresh_from_db()
        if condition(job):
            return
        time.sleep(0.05)
    pytest.fail(f"still {job.state}, attempt {job.attempt}, {job.n_done} of {job.n_total}")


def wait_until(condition: Callable[[], bool], *, within_s: float = 120.0) -> None:
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.05)


def is_under_way(job: Job) -> bool:
    return job.state == Job.State.RUNNING and job.n_done > 0


def is_done(job: Job) -> bool:
    return job.state == Job.State.DONE


def test_it_works(acme: Organization, start_worker: Start) -> None:
    job = enqueue(acme, steps=3)
    start_worker()
    wait_for(job, is_done)
    assert (job.attempt, job.n_done, job.n_total) == (1, 3, 3)


def test_killed_in_the_middle_it_is_done_by_the_next_worker_exactly_once(
    acme: Organization, start_worker: Start
) -> None:
    job = enqueue(acme)
    first = start_worker()
    wait_for(job, is_under_way)
    first.kill()
    first.wait()
    start_worker()
    wait_for(job, is_done)
    assert [event.title for event in Event.objects.all()] == ["attempt 2"]


def test_killed_in_the_middle_it_goes_on_from_its_checkpoint(
    acme: Organization, start_worker: Start
) -> None:
    job = enqueue(acme, kind="test.piecewise", steps=40)
    first = start_worker()
    wait_for(job, lambda job: "next" in job.checkpoint)
    first.kill()
    first.wait()
    start_worker()
    wait_for(job, is_done)
    pieces = [event.title.split(" by ") for event in Event.objects.order_by("pk")]
    assert [piece for piece, _ in pieces] == [f"piece {n}" for n in range(40)]
    assert {by for _, by in pieces} == {"1", "2"}


def test_killed_in_the_middle_of_periodic_work_the_next_worker_does_it(
    start_worker: Start, db: None
) -> None:
    first = start_worker(n_periodic=20)
    hourly = Schedule.objects.filter(kind="test.hourly")
    wait_until(hourly.filter(n_done__gt=0).exists)
    first.kill()
    first.wait()
    start_worker(n_periodic=20)
    wait_until(hourly.filter(ended_at__isnull=False, lease_expires_at=None, error="").exists)
    wait_until(hourly.filter(turn=3, n_failures=0, next_at__gt=now()).exists)


def test_a_frozen_worker_that_wakes_up_later_changes_nothing(
    acme: Organization, start_worker: Start
) -> None:
    job = enqueue(acme)
    frozen = start_worker()
    wait_for(job, is_under_way)
    frozen.send_signal(signal.SIGSTOP)
    start_worker()
    wait_for(job, is_done)
    frozen.send_signal(signal.SIGCONT)
    frozen.send_signal(signal.SIGTERM)
    frozen.wait(timeout=20)
    assert [event.title for event in Event.objects.all()] == ["attempt 2"]


def test_told_to_stop_it_hands_its_job_back_at_once(
    acme: Organization, start_worker: Start
) -> None:
    job = enqueue(acme, steps=200)
    worker = start_worker()
    wait_for(job, is_under_way)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=30) == 0
    job.refresh_from_db()
    assert (job.state, job.attempt) == (Job.State.WAITING, 1)


def test_told_to_stop_inside_a_long_step_it_stops_all_the_same(
    acme: Organization, start_worker: Start
) -> None:
    job = enqueue(acme, kind="test.deaf")
    worker = start_worker()
    wait_for(job, lambda job: job.state == Job.State.RUNNING)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=30) == 0
    job.refresh_from_db()
    assert job.state == Job.State.WAITING


def test_cancelled_while_it_runs_it_ends_at_the_next_step(
    acme: Organization, start_worker: Start
) -> None:
    job = enqueue(acme, steps=400)
    start_worker()
    wait_for(job, is_under_way)
    cancel_job(job, at=now())
    wait_for(job, lambda job: job.state == Job.State.CANCELLED)
    assert not Event.objects.exists()
