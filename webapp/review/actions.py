"""What labelers do to items: decide, pass on, take back. Each is one transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Literal

import msgspec
import structlog
from django.db import transaction

from webapp.accounts.models import User
from webapp.common.changes import record_change
from webapp.datasets.models import Annotation
from webapp.datasets.queries import labels_of
from webapp.review.boxes import Box, as_kept, check_boxes, check_classes, is_as_predicted
from webapp.review.findings import Finding, find
from webapp.review.gold import judge_by_gold
from webapp.review.leasing import (
    HeldByAnother,
    ItemMoved,
    NotTheirs,
    RevisionConflict,
    active_s,
    claim_next,
    lock_item,
    lock_whole_item,
    prepare_next,
    refuse_if_stale,
    refuse_unless_open_to,
    release_item,
    renew_lease,
    start_item,
    take,
)
from webapp.review.models import Check, GoldAnswer, ReviewItem, ReviewQueue, Verdict
from webapp.review.offers import gold_asked_of
from webapp.review.picking import open_item
from webapp.review.queries import predictions_of
from webapp.review.settling import count_decided, reopen

__all__ = (
    "HeldByAnother",
    "ItemMoved",
    "NotTheirs",
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

log = structlog.get_logger(__name__)


@transaction.atomic
def submit_verdict(  # noqa: PLR0913 - a save has as many parts
    *,
    item: ReviewItem,
    by: User,
    revision: int,
    boxes: Sequence[Box],
    classes: Sequence[str] = (),
    findings: Mapping[int, Finding] = MappingProxyType({}),
    at: datetime,
) -> Verdict:
    """Store what `by` says is in the item's picture; it is the truth once all labelers say so.

    Whether the prediction was accepted or corrected follows from the boxes, not from the labeler;
    `findings` is what they said of single predictions by hand. Raise `RevisionConflict` when the
    item was written since `revision`, `BadBox`, or as `refuse_unless_open_to` does.
    """
    item = _lock_to_decide(item, by=by, revision=revision, at=at)
    sample = item.sample
    labels, predicted = labels_of(sample), predictions_of(sample)
    checked = check_boxes(boxes, labels=labels, width=sample.width, height=sample.height)
    named = check_classes(classes, labels=labels)
    found = find(checked, predicted, findings)
    annotation = Annotation.objects.create(
        organization_id=item.organization_id,
        sample=sample,
        author=by,
        created_at=at,
        boxes=[*map(as_kept, checked)],
        classes=named,
        is_current=False,
    )
    is_accepted = is_as_predicted(checked, predicted) and not named
    return _decide(
        Verdict(
            item=item,
            by=by,
            outcome=Verdict.Outcome.ACCEPTED if is_accepted else Verdict.Outcome.CORRECTED,
            annotation=annotation,
            findings=msgspec.to_builtins(found),
        ),
        at=at,
    )


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

    Raise as `submit_verdict` does.
    """
    item = _lock_to_decide(item, by=by, revision=revision, at=at)
    return _decide(Verdict(item=item, by=by, outcome=Verdict.Outcome(skip_as)), at=at)


@transaction.atomic
def undo_verdict(*, verdict: Verdict, by: User, at: datetime) -> ReviewItem:
    """Take back one's own verdict; the item is `by`'s to look at again.

    Raise `RevisionConflict` when it cannot be taken back any more: it is gone, what it led to was
    seen, or somebody built upon it; and as `refuse_unless_open_to` does.
    """
    item = lock_item(verdict.item)
    verdict = Verdict.objects.get(pk=verdict.pk)
    _refuse_to_undo(verdict, item, by=by, at=at)
    verdict.undone_at, verdict.undone_as, verdict.undone_by = at, Verdict.Undone.TAKEN_BACK, by
    verdict.save(update_fields=["undone_at", "undone_as", "undone_by"])
    if item.state != ReviewItem.State.OPEN:
        reopen(item, at=at)
    elif verdict.outcome != Verdict.Outcome.PASSED:
        count_decided(item, at=at)
    elif item.n_labelers == 1:
        _touch(item)
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


def _lock_to_decide(item: ReviewItem, *, by: User, revision: int, at: datetime) -> ReviewItem:
    item = lock_whole_item(item)
    refuse_if_stale(item, revision)
    refuse_unless_open_to(item, by=by, at=at)
    return item


def _decide(verdict: Verdict, *, at: datetime) -> Verdict:
    """Write the verdict on a locked item, which its labeler gives up by it."""
    item, by = verdict.item, verdict.by
    lease = item.leases.filter(holder=by).first()
    gold = gold_asked_of(item, by=by) if by else None
    verdict.organization_id = item.organization_id
    verdict.created_at = at
    verdict.seconds = None if lease is None else active_s(lease, at=at)
    verdict.is_gold = gold is not None
    verdict.save(force_insert=True)
    item.leases.filter(holder=by).delete()
    if gold is not None:
        judge_by_gold(verdict, gold, at=at)
    elif verdict.outcome != Verdict.Outcome.PASSED:
        count_decided(item, at=at)
    elif item.n_labelers == 1:
        _touch(item)
    record_change(item.organization_id, "review", at=at)
    log.info("review.decided", item=str(item.pk), by=str(by and by.pk), outcome=verdict.outcome)
    return verdict


def _touch(item: ReviewItem) -> None:
    """Make what its only labeler may have in other windows stale."""
    item.revision += 1
    item.save(update_fields=["revision"])


def _refuse_to_undo(verdict: Verdict, item: ReviewItem, *, by: User, at: datetime) -> None:
    if verdict.undone_at is not None or verdict.by_id != by.pk:
        raise RevisionConflict(item, "This verdict is not there any more, or not yours.")
    if verdict.is_gold:
        raise RevisionConflict(item, "The answer was known, and you have been told it.")
    if verdict.outcome == Verdict.Outcome.PASSED:
        refuse_unless_open_to(item, by=by, at=at)
    elif item.state != ReviewItem.State.OPEN:
        _refuse_to_reopen(item, verdict, at=at)


def _refuse_to_reopen(item: ReviewItem, verdict: Verdict, *, at: datetime) -> None:
    if item.n_labelers > 1:
        raise RevisionConflict(item, "All its labelers have decided, and have been compared.")
    if Check.objects.filter(verdict=verdict).exists():
        raise RevisionConflict(item, "It has been checked.")
    if GoldAnswer.objects.filter(item=item).exists():
        raise RevisionConflict(item, "It serves as a known answer now.")
    checker = item.leases.filter(expires_at__gt=at).select_related("holder").first()
    if checker is not None:
        raise HeldByAnother(item, f"{checker.holder} is checking this picture.")
