"""What becomes of a job, by what its task does."""

from datetime import timedelta
from typing import NoReturn
from uuid import uuid4

import pytest
from django.db import OperationalError
from django_tasks_db.models import DBTaskResult

from tests.factories import Clock
from webapp.accounts.models import Organization, User
from webapp.common.models import Change
from webapp.jobs.actions import (
    DELIVERY_TIME,
    KEPT,
    MAX_LOST,
    AlreadyFinished,
    cancel_job,
    enqueue_job,
    forget_finished,
    retry_job,
    sweep_jobs,
)
from webapp.jobs.attempts import Attempt
from webapp.jobs.interruptions import CannotBeDone
from webapp.jobs.models import Job
from webapp.jobs.registry import Handler, does
from webapp.jobs.running import JobRunner

LEASE = timedelta(seconds=20)


@pytest.fixture
def job(acme: Organization, alice: User, clock: Clock) -> Job:
    return enqueue_job(kind="test", arguments={"n": 1}, organization=acme, by=alice, at=clock.now())


def runner(handler: Handler, clock: Clock) -> JobRunner:
    return JobRunner(handlers={"test": handler}, clock=clock.now, lease=LEASE)


def run(job: Job, handler: Handler, clock: Clock) -> Job:
    runner(handler, clock).run(job.id, job.attempt + 1)
    job.refresh_from_db()
    return job


def do_nothing(attempt: Attempt) -> None:
    pass


def test_it_works(job: Job, clock: Clock) -> None:
    def handler(attempt: Attempt) -> None:
        assert attempt.arguments == {"n": 1}
        attempt.step(1, 2)
        with attempt.finishing() as result:
            result["answer"] = 42

    run(job, handler, clock)
    assert (job.state, job.result, job.n_done) == (Job.State.DONE, {"answer": 42}, 2)
    assert Change.objects.filter(organization_id=job.organization_id, topic="jobs").count() >= 3


def test_a_task_that_just_returns_has_done_it(job: Job, clock: Clock) -> None:
    assert run(job, do_nothing, clock).state == Job.State.DONE


def test_a_delivery_that_comes_twice_is_done_once(job: Job, clock: Clock) -> None:
    calls: list[int] = []
    worker = runner(lambda attempt: calls.append(attempt.number), clock)
    worker.run(job.id, 1)
    worker.run(job.id, 1)
    assert calls == [1]


def test_a_delivery_of_a_job_that_is_gone_is_nothing(clock: Clock, acme: Organization) -> None:
    runner(do_nothing, clock).run(uuid4(), 1)


def test_what_cannot_be_done_says_why(job: Job, clock: Clock) -> None:
    def handler(attempt: Attempt) -> NoReturn:
        raise CannotBeDone("The disk has no room.")

    run(job, handler, clock)
    assert (job.state, job.error) == (Job.State.FAILED, "The disk has no room.")


def test_a_kind_that_nobody_knows_fails_in_words(job: Job, clock: Clock) -> None:
    JobRunner(handlers={}, clock=clock.now, lease=LEASE).run(job.id, 1)
    job.refresh_from_db()
    assert job.error == "No worker knows how to do 'test'."


def test_a_crash_fails_the_job_and_tells_only_a_reference(job: Job, clock: Clock) -> None:
    def handler(attempt: Attempt) -> NoReturn:
        raise ZeroDivisionError("secret detail")

    run(job, handler, clock)
    assert job.state == Job.State.FAILED
    assert "secret detail" not in job.error
    assert "reference" in job.error


def test_a_database_that_is_away_fails_nothing(job: Job, clock: Clock) -> None:
    def handler(attempt: Attempt) -> NoReturn:
        raise OperationalError("database is locked")

    run(job, handler, clock)
    assert job.state == Job.State.WAITING
    assert run(job, do_nothing, clock).state == Job.State.DONE


def test_cancelled_before_it_begins_it_never_begins(job: Job, clock: Clock) -> None:
    calls: list[int] = []
    cancel_job(job, at=clock.now())
    run(job, lambda attempt: calls.append(attempt.number), clock)
    assert (job.state, calls) == (Job.State.CANCELLED, [])


def test_cancelled_in_the_middle_it_stops_at_the_next_step(job: Job, clock: Clock) -> None:
    def handler(attempt: Attempt) -> None:
        cancel_job(job, at=clock.now())
        attempt.step(1, 2)
        pytest.fail("went on")

    assert run(job, handler, clock).state == Job.State.CANCELLED


def test_what_is_over_cannot_be_cancelled(job: Job, clock: Clock) -> None:
    run(job, do_nothing, clock)
    with pytest.raises(AlreadyFinished, match="done already"):
        cancel_job(job, at=clock.now())


def test_a_failed_job_can_be_started_again(job: Job, clock: Clock) -> None:
    JobRunner(handlers={}, clock=clock.now, lease=LEASE).run(job.id, 1)
    job = retry_job(job, at=clock.now())
    assert run(job, do_nothing, clock).state == Job.State.DONE


def test_an_attempt_whose_lease_ran_out_is_followed_by_another(job: Job, clock: Clock) -> None:
    def dies(attempt: Attempt) -> None:
        clock.advance(seconds=21)
        assert sweep_jobs(at=clock.now()) == 1
        with attempt.finishing() as result:
            result["by"] = attempt.number

    run(job, dies, clock)
    assert job.state == Job.State.WAITING
    assert run(job, do_nothing, clock).attempt == 2


def test_a_lease_that_still_runs_is_left_alone(job: Job, clock: Clock) -> None:
    def handler(attempt: Attempt) -> None:
        clock.advance(seconds=19)
        assert sweep_jobs(at=clock.now()) == 0

    assert run(job, handler, clock).state == Job.State.DONE


def test_a_job_that_takes_every_worker_down_is_given_up(job: Job, clock: Clock) -> None:
    Job.objects.update(state=Job.State.RUNNING, n_lost=MAX_LOST - 1, lease_expires_at=clock.now())
    clock.advance(seconds=1)
    sweep_jobs(at=clock.now())
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert "stopped in the middle" in job.error


def test_a_waiting_job_whose_delivery_got_lost_is_delivered_again(job: Job, clock: Clock) -> None:
    DBTaskResult.objects.update(status="RUNNING")  # its worker died before it began
    clock.advance(seconds=DELIVERY_TIME.total_seconds() + 1)
    assert sweep_jobs(at=clock.now()) == 1
    assert DBTaskResult.objects.ready().count() == 1


def test_a_job_in_a_long_queue_is_not_delivered_twice(job: Job, clock: Clock) -> None:
    clock.advance(hours=1)
    assert sweep_jobs(at=clock.now()) == 0
    assert DBTaskResult.objects.count() == 1


def test_the_hubs_own_old_jobs_are_forgotten_and_peoples_are_kept(
    job: Job, acme: Organization, clock: Clock
) -> None:
    own = enqueue_job(kind="test", arguments={}, organization=acme, by=None, at=clock.now())
    run(own, do_nothing, clock)
    run(job, do_nothing, clock)
    clock.advance(days=KEPT.days + 1)
    forget_finished(at=clock.now())
    assert list(Job.objects.all()) == [job]


def test_nobody_is_told_about_the_hubs_own_jobs(acme: Organization, clock: Clock) -> None:
    own = enqueue_job(kind="test", arguments={}, organization=acme, by=None, at=clock.now())
    run(own, do_nothing, clock)
    assert not Change.objects.filter(topic="jobs").exists()


def test_two_tasks_for_one_kind_are_refused() -> None:
    does("test.twice")(do_nothing)
    with pytest.raises(ValueError, match=r"two tasks do 'test.twice'"):
        does("test.twice")(do_nothing)
