"""What becomes of an item once all its labelers have decided, and of their verdicts with it.

What they agree on is the truth, unless the item is drawn to be checked; what they do not agree on
a checker settles. A verdict is judged when the truth is known from elsewhere than from itself.
"""

from collections.abc import Sequence
from datetime import datetime
from statistics import fmean
from typing import Final

import structlog

from webapp.accounts.models import User
from webapp.common.changes import record_change
from webapp.datasets.models import Annotation
from webapp.review.agreement import Work, agreed, f1, with_others
from webapp.review.boxes import as_kept
from webapp.review.flagging import flag_if_bad
from webapp.review.models import ReviewItem, Verdict
from webapp.review.offers import deciding
from webapp.review.queries import work_of
from webapp.review.webhooks import tell_settled

State = ReviewItem.State

MOVES: Final = {
    State.OPEN: {State.DISPUTED, State.CHECKING, State.DONE, State.AMBIGUOUS},
    State.DISPUTED: {State.OPEN, State.DONE, State.AMBIGUOUS},
    State.CHECKING: {State.OPEN, State.DONE, State.AMBIGUOUS},
    State.DONE: {State.OPEN},
    State.AMBIGUOUS: {State.OPEN},
}

_MANY: Final = 9973

log = structlog.get_logger(__name__)


def standing_verdicts(item: ReviewItem) -> list[Verdict]:
    """Return what decides `item` so far, oldest first."""
    found = item.verdicts.filter(deciding()).select_related("annotation", "by")
    return list(found.order_by("created_at", "id"))


def count_decided(item: ReviewItem, *, at: datetime) -> None:
    """Count the standing verdicts of a locked open item; settle it when it has all it asks for."""
    verdicts = standing_verdicts(item)
    item.n_decided = len(verdicts)
    if item.n_decided < item.n_labelers:
        _save(item)
        return
    works = [work_of(verdict) for verdict in verdicts]
    iou = item.queue.agreement_iou
    if len(works) > 1:
        _compare(item, verdicts, works, iou=iou)
    same = agreed(works, iou=iou)
    if same is None:
        move(item, State.DISPUTED)
    elif _is_drawn(item):
        move(item, State.CHECKING)
    else:
        settle(item, verdicts, same, by=verdicts[0].by if len(works) == 1 else None, at=at)


def settle(
    item: ReviewItem, verdicts: Sequence[Verdict], truth: Work, *, by: User | None, at: datetime
) -> None:
    """Make `truth` the annotation of a locked item and close it; `by` said so, or all together.

    Verdicts of anybody else are judged by it.
    """
    Annotation.objects.filter(sample=item.sample_id, is_current=True).update(is_current=False)
    if not truth.is_ambiguous:
        _annotate(item, verdicts, truth, by=by, at=at)
    for verdict in verdicts:
        if verdict.by_id != (None if by is None else by.pk):
            judge(verdict, truth, at=at)
    move(item, State.AMBIGUOUS if truth.is_ambiguous else State.DONE)
    tell_settled(item, at=at)
    log.info("review.settled", item=str(item.pk), state=item.state, agreement=item.agreement)


def judge(verdict: Verdict, truth: Work, *, at: datetime) -> None:
    """Write down how much of a verdict proved wrong, now that the truth is known."""
    iou = verdict.item.queue.agreement_iou
    set_error(verdict, 1.0 - f1(work_of(verdict), truth, iou=iou), at=at)


def set_error(verdict: Verdict, error: float, *, at: datetime) -> None:
    """Write down how much of a verdict proved wrong, 0..1."""
    verdict.error, verdict.judged_at = error, at
    verdict.save(update_fields=["error", "judged_at"])
    flag_if_bad(verdict, at=at)


def reopen(item: ReviewItem, *, at: datetime) -> None:
    """Let a locked item be decided again by as many as are missing."""
    Annotation.objects.filter(sample=item.sample_id, is_current=True).update(is_current=False)
    item.agreement = None
    item.n_decided = item.verdicts.filter(deciding()).count()
    move(item, State.OPEN)
    record_change(item.organization_id, "review", at=at)


def move(item: ReviewItem, state: ReviewItem.State) -> None:
    """Bring a locked item into another state, which ends every lease on it."""
    current = ReviewItem.State(item.state)
    if state not in MOVES[current]:
        raise ValueError(f"An item that is {current} cannot become {state}.")
    item.state = state
    item.is_returned = False
    item.revision += 1
    item.leases.all().delete()
    _save(item)


def _compare(
    item: ReviewItem, verdicts: Sequence[Verdict], works: Sequence[Work], *, iou: float
) -> None:
    same = with_others(works, iou=iou)
    item.agreement = fmean(same)
    for verdict, agreement in zip(verdicts, same, strict=True):
        verdict.agreement = agreement
        verdict.save(update_fields=["agreement"])


def _save(item: ReviewItem) -> None:
    item.save(update_fields=["state", "is_returned", "n_decided", "agreement", "revision"])


def _annotate(
    item: ReviewItem, verdicts: Sequence[Verdict], truth: Work, *, by: User | None, at: datetime
) -> None:
    if len(verdicts) == 1 and work_of(verdicts[0]) == truth and verdicts[0].annotation:
        verdicts[0].annotation.is_current = True
        verdicts[0].annotation.save(update_fields=["is_current"])
        return
    Annotation.objects.create(
        organization_id=item.organization_id,
        sample_id=item.sample_id,
        author=by,
        created_at=at,
        boxes=[*map(as_kept, truth.boxes)],
        classes=sorted(truth.classes),
    )


def _is_drawn(item: ReviewItem) -> bool:
    return item.pk.int % _MANY / _MANY < item.queue.checked_share  # its id's random bits
