"""A worker's writes to the shards of a batch: taken, told how far, done, given back, split.

Every write is that of the attempt which holds the shard, or it is not made: each locks the batch,
then the job, and looks. Whoever comes too late raises `Superseded`.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet

from processing.wire.batch import (
    PictureOutcome,
    ShardOutcomes,
    decode_items,
    encode_shard,
)
from processing.wire.packed import count_labels
from webapp.batches.actions import FILE, add_shard, locked, tell
from webapp.batches.models import Batch, Shard
from webapp.batches.queries import COMPARE_SHARD
from webapp.jobs.actions import enqueue_job
from webapp.jobs.attempts import Attempt
from webapp.jobs.interruptions import Superseded
from webapp.jobs.models import Job
from webapp.media.actions import drop_unused, put_blob
from webapp.media.queries import read_blob

MAX_BEGUN: Final = 2
"""A shard that took so many workers down with it is split; one picture is left out."""
PARTS: Final = 16
"""A shard is split into so many: with 256 pictures the one at fault is alone after two splits."""
LEFT_OUT: Final = "A worker stopped twice while it looked at this picture, so it was left out."
_OVER: Final = (Job.State.DONE, Job.State.FAILED, Job.State.CANCELLED)

log = structlog.get_logger(__name__)


def take_shard(attempt: Attempt, batch: Batch) -> Shard | None:
    """Return the next shard, which the attempt holds from now on; None when there is none.

    What stopped its workers before is not tried whole again: it is split, and a single picture is
    left out, with words.
    """
    while True:
        with transaction.atomic():
            batch = _mine(attempt, batch)
            if batch.state != Batch.State.RUNNING:
                return None
            shard = _next(attempt, batch)
            if shard is None:
                return None
            if shard.n_begun < MAX_BEGUN:
                _hold(attempt, shard)
                return shard
            attempt.keep({"split": shard.first})
            if shard.n_items > 1:
                _split(batch, shard, at=attempt.clock())
                continue
            _hold(attempt, shard)
        finish_shard(attempt, batch, shard, [PictureOutcome(error=LEFT_OUT)])


def tell_progress(attempt: Attempt, batch: Batch, shard: Shard, *, n_done: int) -> None:
    """Say how far a shard is; raise `Superseded`."""
    if not _held(attempt, shard).update(n_done=n_done):
        raise Superseded
    tell(batch, at=attempt.clock())


def give_back(attempt: Attempt, shard: Shard) -> None:
    """Let another attempt have the shard: this one ends in order, which is nobody's fault."""
    begun = _held(attempt, shard).filter(n_begun__gt=0)
    begun.update(state=Shard.State.WAITING, job=None, n_done=0, n_begun=F("n_begun") - 1)


def finish_shard(
    attempt: Attempt, batch: Batch, shard: Shard, outcomes: Sequence[PictureOutcome]
) -> None:
    """Write what came of a shard, once; the last one ends the batch. Raise `Superseded`."""
    assert len(outcomes) == shard.n_items
    at = attempt.clock()
    results = put_blob(
        encode_shard(ShardOutcomes(bytes.fromhex(batch.bundle), tuple(outcomes))),
        content_type=FILE,
        organization=attempt.organization,
        at=at,
    )
    sums: Counter[int] = Counter()
    for outcome in outcomes:
        sums.update(count_labels(outcome.found))
    n_failed = sum(bool(outcome.error) for outcome in outcomes)
    with transaction.atomic():
        batch = _mine(attempt, batch)
        n_written = _held(attempt, shard).update(
            state=Shard.State.DONE,
            job=None,
            results=results,
            n_begun=0,
            n_done=shard.n_items,
            n_failed=n_failed,
            n_found=sums.total(),
            counts=dict(sums),
        )
        if not n_written:
            raise Superseded
        if shard.results_id not in {None, results.pk}:
            drop_unused([shard.results_id])
        _add(batch, shard.n_items, n_failed, sums)
        if batch.n_done == batch.n_items:
            batch.state = Batch.State.DONE
            batch.finished_at = at
        batch.save()
        if batch.is_shadow:
            _have_compared(batch, shard, at=at)
        attempt.keep({"shard": shard.first})
        tell(batch, at=at)


def judge_again(batch: Batch) -> None:
    """Have the shards with failed pictures looked at once more. For a locked batch."""
    failed = batch.shards.filter(state=Shard.State.DONE, n_failed__gt=0)
    n_done, n_failed = 0, 0
    sums: Counter[int] = Counter()
    for shard in failed.only("n_items", "n_failed", "counts").iterator():
        n_done += shard.n_items
        n_failed += shard.n_failed
        sums.subtract({int(label): n for label, n in shard.counts.items()})
    _add(batch, -n_done, -n_failed, sums)
    failed.update(state=Shard.State.WAITING, n_done=0, n_failed=0, n_found=0, counts={})


def free_shards(batch: Batch) -> None:
    """Take the shards that are under way from whoever has them. For a locked batch."""
    running = batch.shards.filter(state=Shard.State.RUNNING)
    running.filter(n_begun__gt=0).update(n_begun=F("n_begun") - 1)
    running.update(state=Shard.State.WAITING, job=None, n_done=0)


def _have_compared(batch: Batch, shard: Shard, *, at: datetime) -> None:
    enqueue_job(  # of nobody, as judging is
        kind=COMPARE_SHARD,
        title=f"What {batch.name} judges otherwise"[:200],
        arguments={"shard": str(shard.pk)},
        organization=batch.organization,
        by=None,
        at=at,
    )


def _add(batch: Batch, n_done: int, n_failed: int, sums: Counter[int]) -> None:
    batch.n_done += n_done
    batch.n_failed += n_failed
    batch.n_found += sums.total()
    counts = Counter(batch.counts)
    for label, n in sums.items():
        counts[batch.labels[label]] += n
    batch.counts = {name: n for name, n in counts.items() if n > 0}


def _mine(attempt: Attempt, batch: Batch) -> Batch:
    """Lock the batch, then the attempt's job: always in this order. Raise `Superseded`."""
    batch = locked(batch)
    if attempt.rows().select_for_update(of=("self",)).first() is None:
        raise Superseded
    return batch


def _next(attempt: Attempt, batch: Batch) -> Shard | None:
    """Return what this job's last attempt left, else what nobody has."""
    shards = batch.shards.select_related("items", "results").order_by("first")
    running = shards.filter(state=Shard.State.RUNNING)
    left = Q(job=attempt.job_id) | Q(job=None) | Q(job__state__in=_OVER)
    return running.filter(left).first() or shards.filter(state=Shard.State.WAITING).first()


def _hold(attempt: Attempt, shard: Shard) -> None:
    shard.state = Shard.State.RUNNING
    shard.job_id = attempt.job_id
    shard.n_begun += 1
    shard.n_done = 0
    shard.save(update_fields=["state", "job", "n_begun", "n_done"])


def _held(attempt: Attempt, shard: Shard) -> QuerySet[Shard]:
    """Return the shard's row while the attempt holds it, else nothing."""
    held = Shard.objects.filter(pk=shard.pk, job=attempt.job_id, state=Shard.State.RUNNING)
    return held.filter(n_begun=shard.n_begun)


def _split(batch: Batch, shard: Shard, *, at: datetime) -> None:
    """Put smaller shards in place of one that stops its workers."""
    items = decode_items(read_blob(shard.items))
    n_each = -(-len(items) // PARTS)
    log.warning("batch.shard_split", batch_id=str(batch.pk), first=shard.first, n_each=n_each)
    files = [file for file in (shard.items_id, shard.results_id) if file is not None]
    Shard.objects.filter(pk=shard.pk).delete()
    for begin in range(0, len(items), n_each):
        part = items[begin : begin + n_each]
        add_shard(batch, first=shard.first + begin, items=part, at=at)
    drop_unused(files)
