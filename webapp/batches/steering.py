"""What people do to a batch that is under way, or over: pause, resume, cancel, try again."""

from datetime import datetime

from django.db import transaction

from webapp.batches.actions import go_on, locked, prepare, tell
from webapp.batches.models import Batch
from webapp.batches.queries import lanes_of
from webapp.batches.shards import free_shards, judge_again
from webapp.jobs.actions import AlreadyFinished, cancel_job


class NotNow(Exception):
    """As the batch is, this cannot be done; the text says how it is."""


@transaction.atomic
def pause_batch(batch: Batch, *, at: datetime) -> Batch:
    """Stop judging at the next pictures; what was judged stays. Raise `NotNow`."""
    batch = _moved(batch, Batch.State.PAUSED)
    _stop_lanes(batch, at=at)
    batch.save(update_fields=["state"])
    tell(batch, at=at)
    return batch


@transaction.atomic
def resume_batch(batch: Batch, *, at: datetime) -> Batch:
    """Go on with a paused batch; raise `NotNow`."""
    batch = locked(batch)
    if batch.state != Batch.State.PAUSED:
        raise NotNow(f"The batch is {batch.get_state_display().lower()}, not paused.")
    go_on(batch, at=at)
    return batch


@transaction.atomic
def cancel_batch(batch: Batch, *, at: datetime) -> Batch:
    """End a batch for good; what was judged stays. Raise `NotNow`."""
    batch = _moved(batch, Batch.State.CANCELLED)
    batch.finished_at = at
    if batch.preparing is not None and not batch.preparing.is_finished:
        cancel_job(batch.preparing, at=at)
    _stop_lanes(batch, at=at)
    batch.save(update_fields=["state", "finished_at"])
    tell(batch, at=at)
    return batch


@transaction.atomic
def retry_batch(batch: Batch, *, at: datetime) -> Batch:
    """Look once more at the pictures that failed, and at those not reached. Raise `NotNow`."""
    batch = locked(batch)
    is_whole = batch.state == Batch.State.DONE and not batch.n_failed
    if is_whole or batch.state not in {Batch.State.DONE, Batch.State.FAILED}:
        raise NotNow(f"The batch is {batch.get_state_display().lower()}: nothing in it failed.")
    if batch.began_at is None:
        batch.finished_at = None
        prepare(batch, at=at)
        return batch
    batch.error = ""
    batch.finished_at = None
    free_shards(batch)
    judge_again(batch)
    go_on(batch, at=at)
    return batch


def _moved(batch: Batch, state: Batch.State) -> Batch:
    batch = locked(batch)
    if not batch.may_become(state):
        raise NotNow(f"The batch is {batch.get_state_display().lower()} already.")
    batch.state = state
    return batch


def _stop_lanes(batch: Batch, *, at: datetime) -> None:
    """Call the batch's jobs off, and take from them what they hold."""
    for job in lanes_of(batch):
        try:
            cancel_job(job, at=at)
        except AlreadyFinished:
            continue
    free_shards(batch)
