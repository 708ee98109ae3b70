"""What may pass is tried again, ever later; what came further is not forgotten."""

from datetime import timedelta

import pytest
from django_tasks_db.models import DBTaskResult

from tests.factories import Clock
from webapp.accounts.models import Organization, User
from webapp.jobs.actions import cancel_job, enqueue_job, retry_job, sweep_jobs
from webapp.jobs.attempts import MAX_CHECKPOINT, MAX_FAILURES, Attempt
from webapp.jobs.interruptions import MayPass, Superseded
from webapp.jobs.models import Job
from webapp.jobs.registry import Handler
from webapp.jobs.running import JobRunner

LEASE = timedelta(seconds=20)


@pytest.fixture
def job(acme: Organization, alice: User, clock: Clock) -> Job:
    return enqueue_job(kind="test", arguments={}, organization=acme, by=alice, at=clock.now())


def run(job: Job, handler: Handler, clock: Clock) -> Job:
    runner = JobRunner(handlers={"test": handler}, clock=clock.now, lease=LEASE)
    runner.run(job.id, job.attempt + 1)
    job.refresh_from_db()
    return job


def fails(attempt: Attempt) -> None:
    raise MayPass("The camera does not answer.")


def test_it_works(job: Job, clock: Clock) -> None:
    run(job, fails, clock)
    assert (job.state, job.error) == (Job.State.WAITING, "The camera does not answer.")
    assert job.due_at is not None
    assert clock.now() < job.due_at <= clock.now() + timedelta(seconds=5)
    assert DBTaskResult.objects.filter(pk=str(job.delivery), run_after=job.due_at).exists()
    assert run(job, lambda attempt: None, clock).state == Job.State.DONE
    assert job.error == ""
    assert Job.objects.filter(pk=job.pk, due_at=None).exists()


def test_the_pauses_grow_and_the_last_failure_gives_up_with_the_reason(
    job: Job, clock: Clock
) -> None:
    pauses: list[timedelta] = []
    while run(job, fails, clock).state == Job.State.WAITING:
        assert job.due_at is not None
        pauses.append(job.due_at - clock.now())
        clock.advance(seconds=pauses[-1].total_seconds())
    assert len(pauses) == MAX_FAILURES - 1
    assert all(later > earlier for earlier, later in zip(pauses, pauses[2:], strict=False))
    assert job.state == Job.State.FAILED
    assert job.error == f"Tried {MAX_FAILURES} times. The camera does not answer."


def test_while_it_waits_to_be_tried_again_no_sweep_hurries_it(job: Job, clock: Clock) -> None:
    run(job, fails, clock)
    clock.advance(minutes=30)
    assert sweep_jobs(at=clock.now()) == 0


def test_while_it_waits_to_be_tried_again_it_can_be_cancelled(job: Job, clock: Clock) -> None:
    run(job, fails, clock)
    cancel_job(job, at=clock.now())
    assert run(job, lambda attempt: None, clock).state == Job.State.CANCELLED


def test_cancelled_while_it_fails_it_is_not_tried_again(job: Job, clock: Clock) -> None:
    def cancelled(attempt: Attempt) -> None:
        cancel_job(job, at=clock.now())
        raise MayPass("The camera does not answer.")

    assert run(job, cancelled, clock).state == Job.State.CANCELLED


def test_a_person_who_tries_again_gives_it_all_its_tries_back(job: Job, clock: Clock) -> None:
    for _ in range(MAX_FAILURES):
        run(job, fails, clock)
    assert job.state == Job.State.FAILED
    job = retry_job(job, at=clock.now())
    assert run(job, fails, clock).state == Job.State.WAITING


def test_the_next_attempt_finds_the_checkpoint_of_the_last(job: Job, clock: Clock) -> None:
    found: list[dict[str, object]] = []

    def two_more(attempt: Attempt) -> None:
        found.append(attempt.checkpoint)
        so_far = int(str(attempt.checkpoint.get("next", 0)))
        attempt.keep({"next": so_far + 2})
        if so_far < 4:
            raise MayPass("Enough for now.")

    while run(job, two_more, clock).state == Job.State.WAITING:
        pass
    assert found == [{}, {"next": 2}, {"next": 4}]


def test_a_job_that_comes_further_each_time_is_not_given_up(job: Job, clock: Clock) -> None:
    def one_more(attempt: Attempt) -> None:
        so_far = int(str(attempt.checkpoint.get("next", 0)))
        attempt.keep({"next": so_far + 1})
        if so_far < 2 * MAX_FAILURES:
            raise MayPass("Enough for now.")

    while run(job, one_more, clock).state == Job.State.WAITING:
        pass
    assert job.state == Job.State.DONE


def test_after_a_crash_a_person_starts_it_at_its_beginning(job: Job, clock: Clock) -> None:
    def crashes(attempt: Attempt) -> None:
        attempt.keep({"next": 7})
        raise ZeroDivisionError

    run(job, crashes, clock)
    assert (job.state, job.checkpoint) == (Job.State.FAILED, {})


def test_a_superseded_attempt_leaves_no_checkpoint(job: Job, clock: Clock) -> None:
    def slow(attempt: Attempt) -> None:
        clock.advance(seconds=21)
        sweep_jobs(at=clock.now())
        with pytest.raises(Superseded):
            attempt.keep({"next": 9})

    assert run(job, slow, clock).checkpoint == {}


def test_a_checkpoint_is_small(job: Job, clock: Clock) -> None:
    def greedy(attempt: Attempt) -> None:
        with pytest.raises(ValueError, match="at most"):
            attempt.keep({"all": "x" * MAX_CHECKPOINT})

    assert run(job, greedy, clock).state == Job.State.DONE


def test_progress_has_a_rate_and_the_time_that_is_left(job: Job, clock: Clock) -> None:
    seen: list[tuple[float | None, timedelta | None]] = []

    def steady(attempt: Attempt) -> None:
        for n_done in range(0, 50, 10):
            attempt.step(n_done, 100)
            job.refresh_from_db()
            seen.append((job.rate, job.time_left))
            clock.advance(seconds=5)

    run(job, steady, clock)
    assert seen[0] == (None, None)
    assert seen[-1] == (2.0, timedelta(seconds=30))
    assert job.lasted(at=clock.now()) == timedelta(seconds=25)
    assert job.time_left is None


def test_what_a_person_waits_for_goes_before_what_the_hub_wants(
    acme: Organization, alice: User, clock: Clock
) -> None:
    for by in (None, None, alice):
        enqueue_job(kind="test", arguments={}, organization=acme, by=by, at=clock.now())
    asked = Job.objects.get(created_by=alice)
    first = DBTaskResult.objects.ready().first()
    assert first is not None
    assert first.pk == asked.delivery
