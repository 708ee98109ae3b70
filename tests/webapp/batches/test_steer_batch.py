"""A batch is paused, gone on with, ended and tried again; what was judged stays judged."""

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.processing.tiny_bundle import LABELS
from tests.webapp.batches.conftest import (
    Work,
    names_found,
    new_batch,
    pictures,
    put_folder,
    send,
    tick,
)
from webapp.accounts.models import Organization, User
from webapp.batches import actions
from webapp.batches.actions import create_batch, preparing
from webapp.batches.listing import folder_path
from webapp.batches.models import Batch, Shard, WorkerBundle
from webapp.batches.queries import lanes_of
from webapp.batches.shards import take_shard
from webapp.batches.steering import (
    NotNow,
    cancel_batch,
    pause_batch,
    resume_batch,
    retry_batch,
)
from webapp.common.clock import now
from webapp.jobs.actions import cancel_job, retry_job
from webapp.jobs.attempts import Attempt, begin_attempt
from webapp.jobs.interruptions import StopSign
from webapp.jobs.models import Job
from webapp.jobs.registry import HANDLERS
from webapp.jobs.running import JobRunner
from webapp.jobs.worker import LEASE

EXPECTED = [(f"{n:05}.png", [LABELS[n % 3]]) for n in range(12)]


@pytest.fixture
def running(
    acme: Organization, olga: User, tiny: WorkerBundle, monkeypatch: pytest.MonkeyPatch
) -> Batch:
    """A batch of 12 pictures in 3 shards, listed, of which none is judged."""
    monkeypatch.setattr(actions, "SHARD_PICTURES", 4)
    batch = send(pictures(12), tiny, organization=acme, by=olga)
    do_one()
    batch.refresh_from_db()
    assert (batch.state, batch.n_items, batch.shards.count()) == ("running", 12, 3)
    return batch


def do_one() -> None:
    """Do the job that waits longest."""
    job = Job.objects.filter(state=Job.State.WAITING).order_by("pk")[0]
    JobRunner(handlers=HANDLERS, clock=now, lease=LEASE).run(job.pk, job.attempt + 1)


def test_paused_it_stands_still_and_resumed_it_goes_on(running: Batch, work: Work) -> None:
    batch = pause_batch(running, at=now())
    work()
    batch.refresh_from_db()
    assert (batch.state, batch.n_done) == ("paused", 0)
    resume_batch(batch, at=now())
    work()
    batch.refresh_from_db()
    assert batch.state == "done"
    assert names_found(batch) == EXPECTED


def test_paused_in_the_midst_the_worker_frees_its_engine(
    running: Batch, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webapp.batches import tasks  # noqa: PLC0415 - only a worker loads it

    def take_and_pause(attempt: Attempt, batch: Batch) -> Shard | None:
        shard = take_shard(attempt, batch)
        pause_batch(batch, at=now())
        return shard

    with monkeypatch.context() as patched:
        patched.setattr(tasks, "take_shard", take_and_pause)
        do_one()
    assert (running.shards.filter(state="waiting").count(), tasks._kept) == (3, {})
    resume_batch(running, at=now())
    work()
    assert names_found(running) == EXPECTED


def test_cancelled_it_is_over_and_keeps_what_was_judged(running: Batch, work: Work) -> None:
    cancel_batch(running, at=now())
    work()
    running.refresh_from_db()
    assert (running.state, running.n_done) == ("cancelled", 0)
    assert not lanes_of(running).exists()
    for act in (pause_batch, resume_batch, cancel_batch, retry_batch):
        with pytest.raises(NotNow):
            act(running, at=now())


def test_cancelled_while_it_is_listed_nothing_is_judged(
    acme: Organization, olga: User, tiny: WorkerBundle, work: Work
) -> None:
    batch = send(pictures(2), tiny, organization=acme, by=olga)
    cancel_batch(batch, at=now())
    work()
    batch.refresh_from_db()
    assert (batch.state, batch.shards.count()) == ("cancelled", 0)


def test_a_list_is_made_by_one_job_alone(
    acme: Organization, olga: User, tiny: WorkerBundle, work: Work
) -> None:
    batch = send(pictures(2), tiny, organization=acme, by=olga)
    first = Job.objects.get()
    Job.objects.update(state=Job.State.FAILED, error="It was dark.")
    tick("batches.look_after")
    retry_batch(batch, at=now())
    retry_job(first, at=now())
    do_one()
    first.refresh_from_db()
    assert (first.state, batch.shards.count()) == ("cancelled", 0)
    work()
    batch.refresh_from_db()
    assert (batch.state, batch.n_done) == ("done", 2)


def test_listing_locks_in_the_order_of_whoever_cancels(
    acme: Organization, olga: User, tiny: WorkerBundle
) -> None:
    batch = send(pictures(2), tiny, organization=acme, by=olga)
    job = Job.objects.get()
    attempt = begin_attempt(job.pk, 1, lease=LEASE, clock=now, stop_sign=StopSign())
    assert attempt is not None
    with CaptureQueriesContext(connection) as asked, preparing(attempt, batch):
        pass
    read = [query["sql"] for query in asked if query["sql"].startswith("SELECT")]
    assert ["batches_batch" in sql for sql in read] == [True, False]


def test_what_failed_is_tried_again_and_the_rest_is_left_alone(
    acme: Organization, olga: User, tiny: WorkerBundle, work: Work
) -> None:
    put_folder(acme, "night", pictures(3))
    wish = new_batch(tiny, source="folder", wanted={"folder": "night"})
    batch = create_batch(wish, organization=acme, by=olga, at=now())
    do_one()
    path = f"{folder_path(acme.pk, 'night')}/00001.png"
    with default_storage.open(path) as file:
        content = file.read()
    default_storage.delete(path)
    work()
    batch.refresh_from_db()
    assert (batch.state, batch.n_failed, batch.counts) == ("done", 1, {"blue": 1, "red": 1})
    put_folder(acme, "night", [("00001.png", content)])
    retry_batch(batch, at=now())
    work()
    batch.refresh_from_db()
    assert (batch.state, batch.n_done, batch.n_failed) == ("done", 3, 0)
    assert batch.counts == {"blue": 1, "green": 1, "red": 1}
    assert [found for _, found in names_found(batch)] == [["blue"], ["green"], ["red"]]


def test_a_batch_in_which_nothing_failed_is_not_tried_again(running: Batch, work: Work) -> None:
    work()
    with pytest.raises(NotNow):
        retry_batch(running, at=now())


def test_without_its_model_it_waits_and_says_so(
    running: Batch, work: Work, settings: object, tmp_path: object
) -> None:
    settings.BUNDLES_DIR = tmp_path  # type: ignore[attr-defined]
    work()
    running.refresh_from_db()
    assert running.state == "running"
    (lane,) = lanes_of(running)
    assert "This worker has no tiny 1" in lane.error


def test_a_job_that_failed_for_good_ends_the_batch_with_its_words(
    running: Batch, work: Work
) -> None:
    lanes_of(running).update(state=Job.State.FAILED, error="The disk is full.")
    tick("batches.look_after")
    running.refresh_from_db()
    assert (running.state, running.error) == ("failed", "The disk is full.")
    retry_batch(running, at=now())
    work()
    running.refresh_from_db()
    assert names_found(running) == EXPECTED


def test_a_job_called_off_elsewhere_pauses_the_batch(running: Batch, work: Work) -> None:
    (lane,) = lanes_of(running)
    cancel_job(lane, at=now())
    tick("batches.look_after")
    running.refresh_from_db()
    assert running.state == "paused"
    resume_batch(running, at=now())
    work()
    assert names_found(running) == EXPECTED


def test_a_job_that_was_lost_without_trace_is_replaced(running: Batch, work: Work) -> None:
    lanes_of(running).delete()
    tick("batches.look_after")
    work()
    running.refresh_from_db()
    assert running.state == "done"


def test_a_batch_whose_file_never_comes_ends(
    acme: Organization, olga: User, tiny: WorkerBundle
) -> None:
    batch = create_batch(new_batch(tiny), organization=acme, by=olga, at=now())
    Batch.objects.filter(pk=batch.pk).update(created_at=batch.created_at.replace(year=2020))
    tick("batches.look_after")
    batch.refresh_from_db()
    assert (batch.state, batch.error) == ("cancelled", "Its file never came.")


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"source": "folder", "wanted": {"folder": "nowhere"}}, "not there any more"),
        ({"source": "samples", "wanted": {}}, "There is no picture in it."),
    ],
    ids=["folder", "samples"],
)
def test_nothing_to_judge_is_said_in_words(
    acme: Organization,
    olga: User,
    tiny: WorkerBundle,
    work: Work,
    wish: dict[str, object],
    words: str,
) -> None:
    batch = create_batch(new_batch(tiny, **wish), organization=acme, by=olga, at=now())
    work()
    batch.refresh_from_db()
    assert batch.state == "failed"
    assert words in batch.error
