"""Reads about batches: who works on them, how far they are, what came of their pictures."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from django.db.models import F, QuerySet, Sum

from processing.wire.batch import BatchItem, PictureOutcome, decode_items, decode_outcomes
from processing.wire.packed import PackedDetection, check, unpack
from webapp.batches.models import Batch, Shard, WorkerBundle
from webapp.jobs.models import Job
from webapp.media.queries import read_blob

RUN_BATCH: Final = "run_batch"
COMPARE_SHARD: Final = "compare_shard"
FORGOTTEN: Final = timedelta(minutes=10)
"""A bundle that no worker has spoken of for so long is not there any more."""


def lanes_of(batch: Batch) -> QuerySet[Job]:
    """Return the jobs that are under way for a batch."""
    return Job.objects.filter(
        organization=batch.organization_id,
        kind=RUN_BATCH,
        state__in=(Job.State.WAITING, Job.State.RUNNING),
        arguments__batch=str(batch.pk),
    )


def bundles_at_hand() -> list[WorkerBundle]:
    """Return the bundles that the workers have."""
    return list(WorkerBundle.objects.all())


def n_judged(batch: Batch) -> int:
    """Return how many pictures are judged up to now, those of unfinished shards among them."""
    if batch.state != Batch.State.RUNNING:
        return batch.n_done
    under_way = batch.shards.filter(state=Shard.State.RUNNING).aggregate(n=Sum("n_done"))["n"]
    return min(batch.n_done + (under_way or 0), batch.n_items)


def time_left(batch: Batch, *, n_done: int, at: datetime) -> timedelta | None:
    """Return how long a running batch still takes at the rate it has since it was let go on.

    None when nobody can tell.
    """
    n_since = n_done - batch.n_done_before
    if batch.state != Batch.State.RUNNING or batch.going_since is None or n_since <= 0:
        return None
    return (at - batch.going_since) * ((batch.n_items - n_done) / n_since)


@dataclass(frozen=True, slots=True)
class JudgedPicture:
    """A picture of a batch, and what came of it."""

    number: int
    item: BatchItem
    outcome: PictureOutcome | None
    """None: not judged yet."""

    def detections(self) -> Iterator[PackedDetection]:
        """Yield what was found, the surest first."""
        found = self.outcome.found if self.outcome is not None else b""
        yield from sorted(unpack(found), key=lambda each: -each.score)


def pictures_of(
    batch: Batch, *, first: int = 0, most: int | None = None
) -> Iterator[JudgedPicture]:
    """Yield the pictures from number `first` on, in order, with one shard in memory at a time.

    Raise `BlobLost` or `BadShard` for a store that was tampered with.
    """
    end = batch.n_items if most is None else min(first + most, batch.n_items)
    shards = batch.shards.annotate(end=F("first") + F("n_items")).filter(end__gt=first)
    rows = shards.filter(first__lt=end).order_by("first").select_related("items", "results")
    for shard in rows.iterator(chunk_size=20):
        for picture in pictures_in(batch, shard):
            if first <= picture.number < end:
                yield picture


def item_of(batch: Batch, number: int) -> BatchItem | None:
    """Return one picture's entry in the list; None when the batch has no such picture."""
    before = batch.shards.filter(first__lte=number).order_by("-first").select_related("items")
    shard = before.first()
    if shard is None or number >= shard.first + shard.n_items:
        return None
    return decode_items(read_blob(shard.items))[number - shard.first]


def failed_pictures(batch: Batch, *, most: int) -> Iterator[JudgedPicture]:
    """Yield the first pictures that could not be judged."""
    shards = batch.shards.filter(n_failed__gt=0).order_by("first")
    failed = (
        picture
        for shard in shards.select_related("items", "results")[:most].iterator(chunk_size=20)
        for picture in pictures_in(batch, shard)
        if picture.outcome is not None and picture.outcome.error
    )
    yield from islice(failed, most)


def pictures_in(batch: Batch, shard: Shard) -> Iterator[JudgedPicture]:
    """Yield the pictures of one shard."""
    items = decode_items(read_blob(shard.items))
    outcomes = outcomes_of(batch, shard) or (None,) * len(items)
    for number, (item, outcome) in enumerate(zip(items, outcomes, strict=True), shard.first):
        yield JudgedPicture(number, item, outcome)


def outcomes_of(batch: Batch, shard: Shard) -> tuple[PictureOutcome, ...]:
    """Return what came of a shard's pictures; empty before it is done for the first time."""
    if shard.results is None:
        return ()
    outcomes = decode_outcomes(read_blob(shard.results)).outcomes
    for outcome in outcomes:
        check(outcome.found, n_labels=len(batch.labels))
    return outcomes
