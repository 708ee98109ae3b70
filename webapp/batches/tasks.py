"""Listing the pictures of batches, judging them, and saying with what. Loaded by workers alone."""

import os
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction

from processing.batch.bundles import NoSuchBundle, find_bundle, found_bundles
from processing.batch.differing import Said, Terms, difference
from processing.batch.pool import LocalPool, Unread
from processing.batch.shards import run_shard
from processing.exchange.archive import Archive, BadArchive
from processing.inference.bundle import BadBundle
from processing.inference.engine import Engine
from processing.wire.batch import MAX_PLACE, BadShard, BatchItem, PictureOutcome, decode_items
from processing.wire.messages import Disagreement
from processing.wire.packed import BadDetections
from webapp.batches.actions import (
    PREPARE_BATCH,
    TooManyPictures,
    add_lanes,
    begin_judging,
    fail_batch,
    preparing,
    write_shards,
)
from webapp.batches.bundles import FoundBundle, declare_bundles
from webapp.batches.listing import is_picture, list_items, samples_at
from webapp.batches.looking import look_after
from webapp.batches.models import Batch, Shard
from webapp.batches.places import (
    MAX_PICTURE_BYTES,
    WHOLE,
    Entry,
    PictureGone,
    Places,
    opened_places,
)
from webapp.batches.queries import COMPARE_SHARD, RUN_BATCH, outcomes_of, pictures_in
from webapp.batches.shards import finish_shard, give_back, take_shard, tell_progress
from webapp.datasets.actions import record_dissent
from webapp.datasets.models import Sample
from webapp.jobs.attempts import Attempt
from webapp.jobs.interruptions import CancelWanted, CannotBeDone, Interrupted, MayPass
from webapp.jobs.registry import does, every
from webapp.jobs.ticks import Tick
from webapp.media.queries import BlobLost, read_blob

TURN: Final = timedelta(seconds=15)
"""After so long a batch lets the worker's other jobs have their turn."""
LOOK: Final = timedelta(seconds=0.5)
"""Between two looks at whether to go on."""
_MOST_NOTES: Final = 20
_MOST_ALIKE: Final = 1024
"""Samples of the pictures of one shard: the same bytes may have been kept several times."""
_kept: dict[str, LocalPool] = {}
"""The engine of the batch that was worked on last, by its bundle's digest: one at the most."""


@does(PREPARE_BATCH)
def prepare_batch(attempt: Attempt) -> None:
    """Write down which pictures a batch is made of; then judging them begins."""
    batch = _batch(attempt, Batch.State.PREPARING)
    if batch is None:
        return
    notes: list[str] = []
    n_items = 0
    try:
        for n_items in write_shards(attempt, batch, _items(batch, notes)):
            attempt.step(n_items, n_items + 1)
    except (BadArchive, TooManyPictures) as refused:
        raise _failed(attempt, batch, f"Refused: {refused}.") from refused
    except OSError as error:
        raise _failed(attempt, batch, "Its pictures are not there any more.") from error
    if not n_items:
        raise _failed(attempt, batch, "There is no picture in it.")
    shown = notes[:_MOST_NOTES]
    if len(notes) > _MOST_NOTES:
        shown.append(f"and {len(notes) - _MOST_NOTES} more")
    with preparing(attempt, batch) as batch, attempt.finishing():
        begin_judging(batch, n_items=n_items, notes=shown, at=attempt.clock())


@does(RUN_BATCH)
def run_batch(attempt: Attempt) -> None:
    """Judge shards of a batch for a while; whatever is left then is the next job's."""
    batch = _batch(attempt, Batch.State.RUNNING)
    if batch is None:
        return
    try:
        with opened_places(batch) as places:
            _judge_for_a_while(attempt, batch, places)
    except (BadBundle, PictureGone) as refused:
        raise _failed(attempt, batch, str(refused)) from refused
    except CancelWanted:  # paused or ended: who knows for how long
        _let_go()
        raise
    with attempt.finishing():
        batch.refresh_from_db()
        if batch.state == Batch.State.RUNNING:
            job = attempt.rows().get()
            add_lanes(batch, at=attempt.clock(), but=job)
    if batch.state != Batch.State.RUNNING:
        _let_go()


@does(COMPARE_SHARD)
def compare_shard(attempt: Attempt) -> None:
    """Find the samples of a shard in which its batch's bundle sees other things; tell review."""
    shards = Shard.objects.select_related("batch__organization", "items", "results")
    done = shards.filter(pk=str(attempt.arguments["shard"]), state=Shard.State.DONE).first()
    if done is None:
        return  # deleted meanwhile, or judged once more: then it is compared once more
    try:
        differing = _differing(done.batch, done)
    except (BlobLost, BadShard, BadDetections) as error:
        raise CannotBeDone("What came of it is not in the store any more.") from error
    with attempt.finishing() as result:
        record_dissent(differing, organization=done.batch.organization, at=attempt.clock())
        result["n_differing"] = len(differing)


@every(timedelta(minutes=1), kind="batches.declare_bundles")
def say_bundles(tick: Tick) -> None:
    """Say which bundles batches may be judged with."""
    declare_bundles(
        (
            FoundBundle(found.digest.hex(), found.name, found.version, found.labels)
            for found in found_bundles(settings.BUNDLES_DIR)
        ),
        at=tick.at,
    )


@every(timedelta(seconds=20), kind="batches.look_after")
def look_after_batches(tick: Tick) -> None:
    """Look after batches that stand still."""
    look_after(at=tick.at)


def _batch(attempt: Attempt, state: Batch.State) -> Batch | None:
    """Return the batch if it still is in the state that its job is about."""
    batches = Batch.objects.select_related("organization", "file")
    batch = batches.filter(pk=str(attempt.arguments["batch"])).first()
    return batch if batch is not None and batch.state == state else None


def _failed(attempt: Attempt, batch: Batch, because: str) -> CannotBeDone:
    """End the batch with words for who asked; return what ends the job."""
    with transaction.atomic():
        if attempt.rows().exists():
            fail_batch(batch, because=because, at=attempt.clock())
    return CannotBeDone(because)


def _items(batch: Batch, notes: list[str]) -> Iterator[BatchItem]:
    if batch.source != Batch.Source.UPLOAD:
        yield from list_items(batch, notes)
        return
    assert batch.file is not None
    with default_storage.open(batch.file.path, "rb") as stored:
        is_archive = stored.read(2) == b"PK"
        if not is_archive:
            name = str(batch.wanted.get("name") or "picture")[:MAX_PLACE]
            yield BatchItem(name, WHOLE, batch.file.size)
            return
        with Archive(stored) as archive:
            yield from _entries(archive, notes)


def _entries(archive: Archive, notes: list[str]) -> Iterator[BatchItem]:
    n_others = 0
    for name, size in archive.files.items():
        if not is_picture(name):
            n_others += 1
        elif size > MAX_PICTURE_BYTES:
            notes.append(f"{name}: {size} bytes, at most {MAX_PICTURE_BYTES} are opened")
        else:
            found = archive.entry(name)
            entry = Entry(found.header_offset, found.compress_size, found.compress_type, found.CRC)
            yield BatchItem(name, str(entry), size)
    if n_others:
        notes.append(f"Files that are no pictures: {n_others}.")


def _judge_for_a_while(attempt: Attempt, batch: Batch, places: Places) -> None:
    until = attempt.clock() + TURN
    pool = _pool(batch)
    while attempt.clock() < until and (shard := take_shard(attempt, batch)) is not None:
        try:
            outcomes = _judged(attempt, batch, shard, pool, places)
        except Interrupted:
            give_back(attempt, shard)
            raise
        finish_shard(attempt, batch, shard, outcomes)


def _judged(
    attempt: Attempt, batch: Batch, shard: Shard, pool: LocalPool, places: Places
) -> list[PictureOutcome]:
    items = decode_items(read_blob(shard.items))
    known = outcomes_of(batch, shard)
    wanted = items
    if known:
        wanted = tuple(item for item, was in zip(items, known, strict=True) if was.error)
    outcomes: list[PictureOutcome] = []
    looked_at = attempt.clock()
    pictures = _read(places, wanted)
    for outcome in run_shard(pictures, pool, min_score=batch.min_score, known=known):
        outcomes.append(outcome)
        if attempt.clock() - looked_at >= LOOK:
            attempt.step()
            tell_progress(attempt, batch, shard, n_done=len(outcomes))
            looked_at = attempt.clock()
    attempt.step()
    return outcomes


def _differing(batch: Batch, shard: Shard) -> dict[UUID, Disagreement]:
    """Return where another bundle than the batch's judged samples of a shard, and otherwise."""
    judged = {
        picture.item.place: picture.outcome
        for picture in pictures_in(batch, shard)
        if picture.outcome is not None and not picture.outcome.error
    }
    samples = samples_at(batch, judged).exclude(bundle=None).exclude(bundle__digest=batch.bundle)
    differing = {}
    rows = samples.select_related("bundle", "camera", "picture")
    for sample in rows[:_MOST_ALIKE].iterator():
        assert sample.bundle is not None
        own = Said(bytes(sample.predictions), sample.bundle.labels)
        other = Said(judged[sample.picture.path].found, batch.labels)
        differs = difference(own, other, _terms(batch, sample))
        if differs is not None:
            differing[sample.pk] = differs
    return differing


def _terms(batch: Batch, sample: Sample) -> Terms:
    if sample.camera is None:
        return Terms(batch.min_score)
    desired = sample.camera.desired()
    return Terms(batch.min_score, desired.labels, desired.privacy.zones)


def _read(places: Places, items: Sequence[BatchItem]) -> Iterator[bytes | Unread]:
    for item in items:
        try:
            yield places.read(item)
        except PictureGone as gone:
            yield Unread(str(gone))


def _pool(batch: Batch) -> LocalPool:
    """Return the open engine of the batch's bundle; raise `BadBundle`, or `MayPass` without it."""
    if batch.bundle in _kept:
        return _kept[batch.bundle]
    _let_go()
    try:
        bundle = find_bundle(settings.BUNDLES_DIR, bytes.fromhex(batch.bundle))
    except NoSuchBundle as error:
        words = f"This worker has no {batch.bundle_name} in its folder of models."
        raise MayPass(words) from error
    pool = LocalPool(
        lambda: Engine.open(bundle, cache_dir=Path(settings.DATA_DIR) / "compiled"),
        n_threads=(os.cpu_count() or 2) + 1,
    )
    _kept[batch.bundle] = pool
    return pool


def _let_go() -> None:
    """Free the engine: nothing may need it for a long time."""
    while _kept:
        _, pool = _kept.popitem()
        pool.close()
