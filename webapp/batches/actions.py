"""Writes to batches by whoever wants pictures judged, up to the point where judging begins."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from django.core.files.storage import default_storage
from django.db import transaction

from processing.wire.batch import BatchItem, ShardItems, encode_shard
from processing.wire.limits import MAX_TEXT
from webapp.accounts.models import Organization, User
from webapp.batches.models import Batch, Shard, WorkerBundle
from webapp.batches.queries import RUN_BATCH, lanes_of
from webapp.common.changes import record_change
from webapp.jobs.actions import enqueue_job
from webapp.jobs.attempts import Attempt
from webapp.jobs.interruptions import CancelWanted, Superseded
from webapp.jobs.models import Job
from webapp.jobs.queries import live_workers
from webapp.media.actions import drop_unused, put_blob
from webapp.media.models import Blob

PREPARE_BATCH: Final = "prepare_batch"
MAX_UNFINISHED: Final = 20
"""Batches of an organization."""
MAX_ITEMS: Final = 1_000_000
SHARD_PICTURES: Final = 128
MAX_LANES: Final = 8
"""Jobs of one batch that are under way at once: more workers than that look after others."""
FILE: Final = "application/octet-stream"
UNFINISHED: Final = (
    Batch.State.AWAITED, Batch.State.PREPARING, Batch.State.RUNNING, Batch.State.PAUSED,
)  # fmt: skip
_DROPPED_AT_ONCE: Final = 200
_HEAD: Final = 8
_BEGINNINGS: Final = (b"PK\x03\x04", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


class TooManyBatches(Exception):
    """Some batches of the organization are not over yet."""

    def __str__(self) -> str:
        return (
            f"{MAX_UNFINISHED} batches of your organization are not over yet:"
            " wait for them, or cancel some."
        )


class NotAwaited(Exception):
    """The batch waits for no file: it has one, or is over."""

    def __str__(self) -> str:
        return "This batch waits for no file: begin another one."


class NoPictures(Exception):
    """The file is neither an archive nor a picture."""

    def __str__(self) -> str:
        return "This is neither a zip archive nor a JPEG or PNG picture."


class TooManyPictures(Exception):
    """A batch of so many is not made; the text is the reason."""

    def __str__(self) -> str:
        return f"More than {MAX_ITEMS} pictures: make several batches of them"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
    """What somebody asks for."""

    name: str
    source: Batch.Source
    wanted: Mapping[str, object]
    bundle: WorkerBundle
    min_score: float
    is_shadow: bool = False


@transaction.atomic
def create_batch(new: NewBatch, *, organization: Organization, by: User, at: datetime) -> Batch:
    """Write a batch down; it begins at once, or when its file is there. Raise `TooManyBatches`."""
    Organization.objects.select_for_update().get(pk=organization.pk)  # one at a time counts
    if Batch.objects.filter(organization=organization, state__in=UNFINISHED).count() >= (
        MAX_UNFINISHED
    ):
        raise TooManyBatches
    batch = Batch.objects.create(
        organization=organization,
        name=new.name,
        source=new.source,
        wanted=dict(new.wanted),
        bundle=new.bundle.digest,
        bundle_name=str(new.bundle),
        labels=new.bundle.labels,
        min_score=new.min_score,
        is_shadow=new.is_shadow,
        state=Batch.State.AWAITED,
        created_by=by,
        created_at=at,
    )
    if new.source != Batch.Source.UPLOAD:
        prepare(batch, at=at)
    tell(batch, at=at)
    return batch


@transaction.atomic
def begin_upload(batch: Batch, *, file: Blob, at: datetime) -> Batch:
    """Give a batch the file that it waits for; raise `NotAwaited` or `NoPictures`."""
    batch = locked(batch)
    if batch.state != Batch.State.AWAITED:
        raise NotAwaited
    with default_storage.open(file.path) as stored:
        head = stored.read(_HEAD)
    if not head.startswith(_BEGINNINGS):
        raise NoPictures
    batch.file = file
    prepare(batch, at=at)
    return batch


def prepare(batch: Batch, *, at: datetime) -> None:
    """Have a locked batch's pictures listed."""
    batch.state = Batch.State.PREPARING
    batch.error = ""
    batch.preparing = enqueue_job(
        kind=PREPARE_BATCH,
        title=f"Pictures of {batch.name}"[:200],
        arguments={"batch": str(batch.pk)},
        organization=batch.organization,
        by=batch.created_by,
        at=at,
    )
    batch.save()
    tell(batch, at=at)


def write_shards(attempt: Attempt, batch: Batch, items: Iterable[BatchItem]) -> Iterator[int]:
    """Write the list of pictures down, shard by shard; yields how many there are so far.

    What another attempt left of its list goes first. Raise `TooManyPictures`, or `Interrupted`.
    """
    with preparing(attempt, batch):
        drop_shards(batch)
    rest, n_items = iter(items), 0
    while some := tuple(islice(rest, SHARD_PICTURES)):
        if n_items + len(some) > MAX_ITEMS:
            raise TooManyPictures
        with preparing(attempt, batch):
            add_shard(batch, first=n_items, items=some, at=attempt.clock())
        n_items += len(some)
        yield n_items


def add_shard(batch: Batch, *, first: int, items: tuple[BatchItem, ...], at: datetime) -> Shard:
    """Write down one shard that is to be judged."""
    file = put_blob(
        encode_shard(ShardItems(items)),
        content_type=FILE,
        organization=batch.organization,
        at=at,
    )
    return Shard.objects.create(
        organization=batch.organization, batch=batch, first=first, n_items=len(items), items=file
    )


def drop_shards(batch: Batch) -> None:
    """Forget a batch's shards with their files."""
    rows = Shard.objects.filter(batch=batch).order_by("first")
    while some := list(rows[:_DROPPED_AT_ONCE]):
        files = {file for shard in some for file in (shard.items_id, shard.results_id) if file}
        rows.filter(pk__in=[shard.pk for shard in some]).delete()
        drop_unused(files)


def begin_judging(batch: Batch, *, n_items: int, notes: list[str], at: datetime) -> None:
    """The list is whole: from now on its pictures are judged. For a locked batch."""
    batch.n_items = n_items
    batch.notes = notes
    batch.began_at = at
    go_on(batch, at=at)


def go_on(batch: Batch, *, at: datetime) -> None:
    """Have what is left of a batch judged. For a locked batch, of which all is written."""
    batch.state = Batch.State.RUNNING
    batch.going_since = at
    batch.n_done_before = batch.n_done
    batch.save()
    add_lanes(batch, at=at)
    tell(batch, at=at)


def add_lanes(batch: Batch, *, at: datetime, but: Job | None = None) -> None:
    """See to it that as many jobs work on the batch as there are workers, and shards for them.

    `but` is one that ends just now.
    """
    n_to_do = Shard.objects.filter(batch=batch).exclude(state=Shard.State.DONE).count()
    n_workers = max(len(live_workers(at=at)), 1)
    under_way = lanes_of(batch).exclude(pk__in=[but.pk] if but else []).count()
    for _ in range(min(n_to_do, n_workers, MAX_LANES) - under_way):
        enqueue_job(  # of nobody: whatever a person waits for goes first
            kind=RUN_BATCH,
            title=f"Batch {batch.name}"[:200],
            arguments={"batch": str(batch.pk)},
            organization=batch.organization,
            by=None,
            at=at,
        )


def fail_batch(batch: Batch, *, because: str, at: datetime) -> None:
    """End a batch that cannot go on, unless it is over."""
    with transaction.atomic():
        batch = locked(batch)
        if batch.may_become(Batch.State.FAILED):
            batch.state = Batch.State.FAILED
            batch.error = because[:MAX_TEXT]
            batch.finished_at = at
            batch.save(update_fields=["state", "error", "finished_at"])
            tell(batch, at=at)


@contextmanager
def preparing(attempt: Attempt, batch: Batch) -> Iterator[Batch]:
    """Give the locked batch to the job that lists its pictures; raise `Interrupted`.

    The batch is locked first, then the job, as whoever cancels does: the other way round they would
    wait for each other.
    """
    with transaction.atomic():
        batch = locked(batch)
        if attempt.rows().select_for_update(of=("self",)).first() is None:
            raise Superseded
        if batch.state != Batch.State.PREPARING or batch.preparing_id != attempt.job_id:
            raise CancelWanted  # it was called off, or begun anew by another job
        yield batch


def locked(batch: Batch) -> Batch:
    """Return the batch as it is now, for this transaction alone to change."""
    return Batch.objects.select_for_update(of=("self",)).get(pk=batch.pk)


def tell(batch: Batch, *, at: datetime) -> None:
    """Tell pages that a batch changed."""
    record_change(batch.organization_id, "jobs", at=at)
