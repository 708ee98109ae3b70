"""Looking after batches that nobody works on any more: each gets on, or says why it does not."""

from datetime import datetime

from django.db import transaction

from webapp.batches.actions import add_lanes, fail_batch, locked, tell
from webapp.batches.models import Batch
from webapp.batches.queries import RUN_BATCH, lanes_of
from webapp.batches.shards import free_shards
from webapp.batches.uploads import VALID_FOR
from webapp.jobs.models import Job


def look_after(*, at: datetime) -> int:
    """Mend what stands still, and end what waits for a file in vain; return how many."""
    stale = Batch.objects.filter(
        state=Batch.State.AWAITED, created_at__lt=at - 2 * VALID_FOR
    ).update(state=Batch.State.CANCELLED, finished_at=at, error="Its file never came.")
    lost = list(Batch.objects.filter(state=Batch.State.PREPARING, preparing=None))
    over = (Job.State.FAILED, Job.State.CANCELLED)
    ended = Batch.objects.filter(state=Batch.State.PREPARING, preparing__state__in=over)
    for batch in [*lost, *ended.select_related("preparing")]:
        said = batch.preparing.error if batch.preparing is not None else ""
        fail_batch(batch, because=said or "Listing its pictures was called off.", at=at)
    standing = [
        batch
        for batch in Batch.objects.filter(state=Batch.State.RUNNING)
        if not lanes_of(batch).exists()
    ]
    for batch in standing:
        _mend(batch, at=at)
    return stale + len(standing)


@transaction.atomic
def _mend(batch: Batch, *, at: datetime) -> None:
    """Say why a batch stands still: its job failed, or somebody called it off."""
    batch = locked(batch)
    if batch.state != Batch.State.RUNNING or lanes_of(batch).exists():
        return
    newest = (
        Job.objects.filter(
            organization=batch.organization_id, kind=RUN_BATCH, arguments__batch=str(batch.pk)
        )
        .order_by("-pk")
        .first()
    )
    free_shards(batch)
    if newest is not None and newest.state == Job.State.FAILED:
        fail_batch(batch, because=newest.error, at=at)
    elif newest is not None and newest.state == Job.State.CANCELLED:
        batch.state = Batch.State.PAUSED
        batch.save(update_fields=["state"])
        tell(batch, at=at)
    else:
        add_lanes(batch, at=at)
