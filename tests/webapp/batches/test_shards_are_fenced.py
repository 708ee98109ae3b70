"""Only who holds a shard writes it; what stops workers is split down to the picture at fault."""

import pytest

from processing.wire.batch import PictureOutcome
from tests.webapp.batches.conftest import Work, names_found, pictures, send
from webapp.accounts.models import Organization, User
from webapp.batches import actions
from webapp.batches.models import Batch, Shard, WorkerBundle
from webapp.batches.queries import failed_pictures, lanes_of
from webapp.batches.shards import LEFT_OUT, finish_shard, give_back, take_shard, tell_progress
from webapp.batches.steering import pause_batch, resume_batch
from webapp.common.clock import now
from webapp.jobs.actions import enqueue_job, redeliver
from webapp.jobs.attempts import Attempt, begin_attempt
from webapp.jobs.interruptions import StopSign, Superseded
from webapp.jobs.models import Job
from webapp.jobs.registry import HANDLERS
from webapp.jobs.running import JobRunner
from webapp.jobs.worker import LEASE


@pytest.fixture
def batch(
    acme: Organization, olga: User, tiny: WorkerBundle, work: Work, monkeypatch: pytest.MonkeyPatch
) -> Batch:
    """A batch of 20 pictures in 2 shards, listed, of which none is judged."""
    monkeypatch.setattr(actions, "SHARD_PICTURES", 16)
    batch = send(pictures(20), tiny, organization=acme, by=olga)
    job = Job.objects.get(state=Job.State.WAITING)
    JobRunner(handlers=HANDLERS, clock=now, lease=LEASE).run(job.pk, job.attempt + 1)
    batch.refresh_from_db()
    return batch


def begin(batch: Batch) -> Attempt:
    """Begin an attempt at the batch's job, as a worker does."""
    (job,) = lanes_of(batch)
    if job.state == Job.State.RUNNING:
        redeliver(job, at=now())  # its worker died, and the sweep found out
    attempt = begin_attempt(job.pk, job.attempt + 1, lease=LEASE, clock=now, stop_sign=StopSign())
    assert attempt is not None
    return attempt


def take(attempt: Attempt, batch: Batch) -> Shard:
    shard = take_shard(attempt, batch)
    assert shard is not None
    return shard


def nothing(shard: Shard) -> list[PictureOutcome]:
    return [PictureOutcome(8, 8) for _ in range(shard.n_items)]


def test_an_attempt_that_lost_its_lease_writes_nothing(batch: Batch) -> None:
    late = begin(batch)
    shard = take(late, batch)
    newer = begin(batch)
    with pytest.raises(Superseded):
        finish_shard(late, batch, shard, nothing(shard))
    again = take(newer, batch)
    assert (again.pk, again.n_begun) == (shard.pk, 2)
    with pytest.raises(Superseded):
        tell_progress(late, batch, shard, n_done=3)
    give_back(late, shard)
    finish_shard(newer, batch, again, nothing(again))
    batch.refresh_from_db()
    assert batch.n_done == 16


def test_a_shard_is_done_once(batch: Batch) -> None:
    attempt = begin(batch)
    shard = take(attempt, batch)
    finish_shard(attempt, batch, shard, nothing(shard))
    with pytest.raises(Superseded):
        finish_shard(attempt, batch, shard, nothing(shard))
    batch.refresh_from_db()
    assert batch.n_done == 16


def test_whoever_held_it_before_a_pause_writes_nothing_after(batch: Batch) -> None:
    before = begin(batch)
    shard = take(before, batch)
    resume_batch(pause_batch(batch, at=now()), at=now())
    with pytest.raises(Superseded):
        finish_shard(before, batch, shard, nothing(shard))
    assert not Shard.objects.filter(state=Shard.State.DONE).exists()


def test_given_back_in_order_it_counts_against_nobody(batch: Batch) -> None:
    for _ in range(5):
        attempt = begin(batch)
        give_back(attempt, take(attempt, batch))
    assert take(begin(batch), batch).n_begun == 1


def test_a_picture_that_stops_its_workers_is_left_out_alone(batch: Batch, work: Work) -> None:
    """Picture 5 kills whoever looks at it."""
    n_deaths = 0
    while True:
        attempt = begin(batch)
        while (shard := take_shard(attempt, batch)) is not None:
            if shard.first <= 5 < shard.first + shard.n_items:
                n_deaths += 1
                break
            finish_shard(attempt, batch, shard, nothing(shard))
        else:
            break
        assert n_deaths < 10
    assert n_deaths == 4, "twice with others, twice alone"
    batch.refresh_from_db()
    assert (batch.state, batch.n_done, batch.n_failed) == ("done", 20, 1)
    (found,) = failed_pictures(batch, most=5)
    assert (found.number, found.item.name) == (5, "00005.png")
    assert found.outcome is not None
    assert found.outcome.error == LEFT_OUT
    assert [name for name, _ in names_found(batch)] == [f"{n:05}.png" for n in range(20)]


def test_two_workers_share_a_batch(batch: Batch) -> None:
    one = begin(batch)
    enqueue_job(
        kind="run_batch", arguments={"batch": str(batch.pk)}, organization=batch.organization,
        by=None, at=now(),
    )  # fmt: skip
    other_job = lanes_of(batch).get(state=Job.State.WAITING)
    other = begin_attempt(other_job.pk, 1, lease=LEASE, clock=now, stop_sign=StopSign())
    assert other is not None
    first, second = take(one, batch), take(other, batch)
    assert (first.first, second.first) == (0, 16)
    finish_shard(other, batch, second, nothing(second))
    finish_shard(one, batch, first, nothing(first))
    batch.refresh_from_db()
    assert batch.state == "done"
