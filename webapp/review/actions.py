"""What labelers do to items: decide, pass on, take back. Each is one transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, Literal

import structlog
from django.db import transaction

from webapp.accounts.models import Organization, User
from webapp.common.changes import record_change
from webapp.datasets.models import Annotation, Sample
from webapp.review.boxes import Box, check_boxes, is_as_predicted
from webapp.review.leasing import (
    HeldByAnother,
    ItemMoved,
    RevisionConflict,
    claim_next,
    lock_item,
    prepare_next,
    refuse_if_held_by_another,
    refuse_unless_open,
    release_item,
    renew_lease,
    start_item,
    take,
)
from webapp.review.models import Lease, ReviewItem, ReviewQueue, Verdict
from webapp.review.queries import predictions_of

__all__ = (
    "HeldByAnother",
    "ItemMoved",
    "RevisionConflict",
    "claim_next",
    "open_item",
    "prepare_next",
    "release_item",
    "renew_lease",
    "skip_item",
    "start_item",
    "submit_verdict",
    "undo_last",
    "undo_verdict",
)

FIRST_QUEUE: Final = "Doubtful pictures"

# Where a random sample is drawn as if it had been in doubt; the defaults of `SamplePolicy`.
_DOUBTFUL_SCORES: Final = (0.25, 0.45)

log = structlog.get_logger(__name__)


@transaction.atomic
def open_item(*, sample: Sample, at: datetime) -> ReviewItem:
    """Put a checked sample into its organization's queue; once, however often it is called."""
    item, is_new = ReviewItem.objects.get_or_create(
        sample=sample,
        defaults={
            "organization_id": sample.organization_id,
            "queue": _first_queue(sample.organization),
            "priority": priority_of(sample),
            "created_at": at,
        },
    )
    if is_new:
        record_change(sample.organization_id, "review", at=at)
    return item


def priority_of(sample: Sample) -> float:
    """Return how soon a sample is worth a look, 0..1: the nearer its score to a half, the sooner.

    A random sample is placed as if its score were drawn from those in doubt, so that the random
    slice, which alone may feed measurements, is neither starved nor preferred.
    """
    score = sample.score
    if sample.reason == Sample.Reason.RANDOM:
        low, high = _DOUBTFUL_SCORES
        score = low + (high - low) * (sample.pk.int % 9973 / 9973)  # its id's random bits
    return 1.0 - abs(2.0 * score - 1.0)


@transaction.atomic
def submit_verdict(
    *, item: ReviewItem, by: User, revision: int, boxes: Sequence[Box], at: datetime
) -> Verdict:
    """Store `boxes` as the truth about the item's sample, and close the item.

    Whether the prediction was accepted or corrected follows from the boxes, not from the labeler.
    Raise `RevisionConflict` when the item was written since `revision`, `HeldByAnother`, or
    `BadBox`.
    """
    item = lock_item(item)
    _refuse_stale(item, revision)
    refuse_unless_open(item)
    refuse_if_held_by_another(item, by=by, at=at)
    sample = item.sample
    checked = check_boxes(
        boxes, labels=sample.bundle.labels, width=sample.width, height=sample.height
    )
    is_accepted = is_as_predicted(checked, predictions_of(sample))
    Annotation.objects.filter(sample=sample, is_current=True).update(is_current=False)
    annotation = Annotation.objects.create(
        organization_id=item.organization_id,
        sample=sample,
        author=by,
        created_at=at,
        boxes=[{"xyxy": list(box.xyxy), "label": box.label} for box in checked],
    )
    outcome = Verdict.Outcome.ACCEPTED if is_accepted else Verdict.Outcome.CORRECTED
    return _decide(item, outcome, by=by, at=at, annotation=annotation)


@transaction.atomic
def skip_item(
    *,
    item: ReviewItem,
    by: User,
    revision: int,
    skip_as: Literal["passed", "ambiguous"],
    at: datetime,
) -> Verdict:
    """Leave an item undecided by `by`: for somebody else ("passed"), or because nobody can tell.

    Raise `RevisionConflict` or `HeldByAnother`.
    """
    item = lock_item(item)
    _refuse_stale(item, revision)
    refuse_unless_open(item)
    refuse_if_held_by_another(item, by=by, at=at)
    return _decide(item, Verdict.Outcome(skip_as), by=by, at=at)


@transaction.atomic
def undo_verdict(*, verdict: Verdict, by: User, at: datetime) -> ReviewItem:
    """Take back one's own verdict; the item is `by`'s to look at again.

    Raise `RevisionConflict` when there is nothing to take back any more, or `HeldByAnother` when
    somebody works on the item that was passed on.
    """
    item = lock_item(verdict.item)
    verdict = Verdict.objects.select_related("annotation").get(pk=verdict.pk)
    if verdict.undone_at is not None or verdict.by_id != by.pk:
        raise RevisionConflict(item, "This verdict is not there any more, or not yours.")
    refuse_if_held_by_another(item, by=by, at=at)
    if verdict.annotation is not None:
        verdict.annotation.is_current = False
        verdict.annotation.save(update_fields=["is_current"])
    verdict.undone_at = at
    verdict.save(update_fields=["undone_at"])
    if verdict.outcome != Verdict.Outcome.PASSED:
        item.state = ReviewItem.State.OPEN
    item.revision += 1
    item.save(update_fields=["state", "revision"])
    take(item, by=by, at=at)
    record_change(item.organization_id, "review", at=at)
    log.info("review.undone", item=str(item.pk), by=str(by.pk), outcome=verdict.outcome)
    return item


def undo_last(*, queues: Collection[ReviewQueue], by: User, at: datetime) -> ReviewItem | None:
    """Take back what `by` decided last in `queues`; None when nothing is left to take back.

    Raise as `undo_verdict` does.
    """
    newest = Verdict.objects.filter(item__queue__in=queues, by=by, undone_at=None)
    verdict = newest.select_related("item").order_by("-created_at", "-id").first()
    return None if verdict is None else undo_verdict(verdict=verdict, by=by, at=at)


def _decide(
    item: ReviewItem,
    outcome: Verdict.Outcome,
    *,
    by: User,
    at: datetime,
    annotation: Annotation | None = None,
) -> Verdict:
    """Write the verdict on a locked item and give the item up."""
    lease = Lease.objects.filter(item=item, holder=by).first()
    verdict = Verdict.objects.create(
        organization_id=item.organization_id,
        item=item,
        by=by,
        outcome=outcome,
        annotation=annotation,
        created_at=at,
        seconds=None if lease is None else (at - lease.claimed_at).total_seconds(),
    )
    Lease.objects.filter(item=item).delete()
    item.state = _STATE_AFTER[outcome]
    item.revision += 1
    item.save(update_fields=["state", "revision"])
    record_change(item.organization_id, "review", at=at)
    log.info("review.decided", item=str(item.pk), by=str(by.pk), outcome=outcome.value)
    return verdict


_STATE_AFTER: Final = {
    Verdict.Outcome.ACCEPTED: ReviewItem.State.DONE,
    Verdict.Outcome.CORRECTED: ReviewItem.State.DONE,
    Verdict.Outcome.AMBIGUOUS: ReviewItem.State.AMBIGUOUS,
    Verdict.Outcome.PASSED: ReviewItem.State.OPEN,
}


def _refuse_stale(item: ReviewItem, revision: int) -> None:
    if item.revision != revision:
        raise RevisionConflict(item, "This picture was changed in the meantime.")


def _first_queue(organization: Organization) -> ReviewQueue:
    oldest = ReviewQueue.objects.filter(organization=organization).order_by("id").first()
    if oldest is not None:
        return oldest
    queue, _ = ReviewQueue.objects.get_or_create(organization=organization, name=FIRST_QUEUE)
    return queue
