"""The second look: a checker accepts what labelers decided, fixes it, or sends it back.

Where labelers disagree, fixing settles it: what the checker leaves is the truth, and every
labeler's verdict is told what came of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

import msgspec
import structlog
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Case, Exists, IntegerField, OuterRef, QuerySet, Value, When

from webapp.accounts.models import User
from webapp.common.changes import record_change
from webapp.datasets.queries import labels_of
from webapp.review.agreement import Work, agreed
from webapp.review.boxes import Box, check_boxes, check_classes
from webapp.review.findings import Finding, Findings, find
from webapp.review.leasing import (
    HeldByAnother,
    RevisionConflict,
    lock_item,
    refuse_if_stale,
    take,
)
from webapp.review.models import Check, Lease, ReviewItem, ReviewQueue, Verdict
from webapp.review.offers import deciding
from webapp.review.queries import checkers_queues, predictions_of, work_of
from webapp.review.settling import reopen, set_error, settle, standing_verdicts

WAITING: Final = (ReviewItem.State.DISPUTED, ReviewItem.State.CHECKING)

RETURNED: Final = 3.0
"""The priority of what was sent back: above what a person wants looked at."""

log = structlog.get_logger(__name__)


class MayNotCheck(PermissionDenied):
    """The item's queue has other checkers, or the work is their own."""


@dataclass(frozen=True)
class CheckForPage:
    """All that a checker is shown of one item."""

    item: ReviewItem
    works: Sequence[Verdict]
    """What each labeler decided, oldest first; `queries.work_of` has the boxes."""
    begin: Work
    """What to begin with: what they agree on, else what the first of them left."""
    held_by: Lease | None


def items_to_check(queue: ReviewQueue, *, by: User, at: datetime) -> QuerySet[ReviewItem]:
    """Return what waits for a checker, is not `by`'s own work and in nobody else's hands.

    Disagreements come first, then what has waited longest.
    """
    own = Verdict.objects.filter(deciding(), item=OuterRef("pk"), by=by)
    held = Lease.objects.filter(item=OuterRef("pk"), expires_at__gt=at).exclude(holder=by)
    is_disputed = When(state=ReviewItem.State.DISPUTED, then=Value(0))
    return ReviewItem.objects.filter(
        ~Exists(own), ~Exists(held), queue=queue, state__in=WAITING
    ).order_by(Case(is_disputed, default=Value(1), output_field=IntegerField()), "created_at", "id")


def claim_check(*, queue: ReviewQueue, by: User, at: datetime) -> ReviewItem | None:
    """Return the item that `by` is to check, theirs like a labeler's; None when there is none.

    Raise `MayNotCheck`.
    """
    _refuse_unless_checker(queue, by)
    lost = set[UUID]()
    while True:
        waiting = items_to_check(queue, by=by, at=at).exclude(pk__in=lost)
        try:
            with transaction.atomic():
                item = waiting.filter(leases__holder=by, leases__expires_at__gt=at).first()
                item = item or waiting.select_for_update(skip_locked=True, of=("self",)).first()
                if item is not None:
                    _lock_to_check(item, by=by, at=at)
                    take(item, by=by, at=at)
                return item
        except (HeldByAnother, RevisionConflict) as moved:
            lost.add(moved.item.pk)  # to another checker, between our look and our lock


def check_for_page(item: ReviewItem, *, by: User, at: datetime) -> CheckForPage:
    """Return what `by` is shown of an item that waits for its check; raise as `accept_work`."""
    _refuse_unless_theirs(item, by)
    _refuse_unless_waiting(item)
    verdicts = standing_verdicts(item)
    works = [work_of(verdict) for verdict in verdicts]
    leases = Lease.objects.filter(item=item, expires_at__gt=at).select_related("holder")
    return CheckForPage(
        item=item,
        works=verdicts,
        begin=agreed(works, iou=item.queue.agreement_iou) or works[0],
        held_by=leases.first(),
    )


@transaction.atomic
def accept_work(
    *, item: ReviewItem, by: User, revision: int, comment: str = "", at: datetime
) -> ReviewItem:
    """Let what the labelers agreed on be the truth.

    Raise `MayNotCheck`, `RevisionConflict`, also where they disagree, or `HeldByAnother`.
    """
    item = _lock_to_check(item, by=by, revision=revision, at=at)
    verdicts = standing_verdicts(item)
    truth = agreed([*map(work_of, verdicts)], iou=item.queue.agreement_iou)
    if item.state == ReviewItem.State.DISPUTED or truth is None:
        raise RevisionConflict(item, "The labelers disagree: settle what is right.")
    settle(item, verdicts, truth, by=by, at=at)
    _note(verdicts, lambda _: Check.Decision.ACCEPTED, by=by, comment=comment, at=at)
    return item


@transaction.atomic
def fix_work(  # noqa: PLR0913 - a save has as many parts
    *,
    item: ReviewItem,
    by: User,
    revision: int,
    boxes: Sequence[Box],
    classes: Sequence[str] = (),
    findings: Mapping[int, Finding] = MappingProxyType({}),
    is_ambiguous: bool = False,
    reasons: Sequence[Check.Reason] = (),
    comment: str = "",
    at: datetime,
) -> ReviewItem:
    """Let what the checker leaves be the truth; whose verdict is no different is accepted.

    `findings` is what they said of single predictions by hand.
    Raise `MayNotCheck`, `RevisionConflict`, `HeldByAnother`, or `BadBox`.
    """
    item = _lock_to_check(item, by=by, revision=revision, at=at)
    sample, labels = item.sample, labels_of(item.sample)
    truth, found = Work(is_ambiguous=True), None
    if not is_ambiguous:
        checked = check_boxes(boxes, labels=labels, width=sample.width, height=sample.height)
        truth = Work(checked, frozenset(check_classes(classes, labels=labels)))
        found = find(checked, predictions_of(sample), findings)
    verdicts = standing_verdicts(item)
    settle(item, verdicts, truth, by=by, at=at)

    def decision(verdict: Verdict) -> Check.Decision:
        return Check.Decision.FIXED if verdict.error else Check.Decision.ACCEPTED

    _note(verdicts, decision, by=by, reasons=reasons, comment=comment, found=found, at=at)
    return item


@transaction.atomic
def reject_work(
    *,
    item: ReviewItem,
    by: User,
    revision: int,
    reasons: Sequence[Check.Reason],
    comment: str = "",
    at: datetime,
) -> ReviewItem:
    """Send an item back to those who decided it; nobody else is given it.

    Raise `MayNotCheck`, `RevisionConflict`, or `HeldByAnother`.
    """
    item = _lock_to_check(item, by=by, revision=revision, at=at)
    verdicts = standing_verdicts(item)
    for verdict in verdicts:
        verdict.undone_at, verdict.undone_by = at, by
        verdict.undone_as = Verdict.Undone.SENT_BACK
        verdict.save(update_fields=["undone_at", "undone_as", "undone_by"])
        set_error(verdict, 1.0, at=at)
    _note(
        verdicts,
        lambda _: Check.Decision.REJECTED,
        by=by,
        reasons=reasons,
        comment=comment,
        at=at,
    )
    reopen(item, at=at)
    item.is_returned = any(verdict.by_id for verdict in verdicts)
    item.priority = max(item.priority, RETURNED)
    item.save(update_fields=["is_returned", "priority"])
    return item


def _lock_to_check(
    item: ReviewItem, *, by: User, revision: int | None = None, at: datetime
) -> ReviewItem:
    item = lock_item(item)
    _refuse_unless_theirs(item, by)
    if revision is not None:
        refuse_if_stale(item, revision)
    _refuse_unless_waiting(item)
    other = Lease.objects.filter(item=item, expires_at__gt=at).exclude(holder=by)
    if lease := other.select_related("holder").first():
        raise HeldByAnother(item, f"{lease.holder} has this picture in hand.")
    return item


def _refuse_unless_waiting(item: ReviewItem) -> None:
    if item.state not in WAITING:
        raise RevisionConflict(item, "This picture does not wait for a check.")


def _refuse_unless_theirs(item: ReviewItem, by: User) -> None:
    _refuse_unless_checker(item.queue, by)
    if item.verdicts.filter(deciding(), by=by).exists():
        raise MayNotCheck("Nobody checks their own work.")


def _refuse_unless_checker(queue: ReviewQueue, by: User) -> None:
    if not checkers_queues(by).filter(pk=queue.pk).exists():
        raise MayNotCheck("This queue has other checkers.")


def _note(  # noqa: PLR0913 - a check has as many parts
    verdicts: Sequence[Verdict],
    decision: Callable[[Verdict], Check.Decision],
    *,
    by: User,
    reasons: Sequence[Check.Reason] = (),
    comment: str,
    found: Findings | None = None,
    at: datetime,
) -> None:
    """Write down what a checker said of each verdict."""
    for verdict in verdicts:
        Check.objects.create(
            organization_id=verdict.organization_id,
            verdict=verdict,
            by=by,
            decision=decision(verdict),
            reasons=[*reasons],
            comment=comment,
            findings={} if found is None else msgspec.to_builtins(found),
            created_at=at,
        )
    item = verdicts[0].item
    record_change(item.organization_id, "review", at=at)
    log.info("review.checked", item=str(item.pk), by=str(by.pk), n_verdicts=len(verdicts))
