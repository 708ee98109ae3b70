"""Known answers, hidden in normal work: who makes one, what labelers hear once they have answered.

A decided item that a checker is sure of is shown to each labeler once more, as if it were open.
"""

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import transaction
from msgspec import Struct

from webapp.accounts.models import User
from webapp.review.agreement import Work
from webapp.review.boxes import Box
from webapp.review.leasing import RevisionConflict, lock_item
from webapp.review.matching import match_boxes
from webapp.review.models import GoldAnswer, ReviewItem, Verdict
from webapp.review.queries import boxes_of, work_of
from webapp.review.settling import judge

log = structlog.get_logger(__name__)


class GoldFeedback(Struct, frozen=True, kw_only=True):
    """How a labeler's answer compares with the known one."""

    is_right: bool
    n_found: int
    n_missed: int
    """In the known answer alone."""
    n_wrong: int
    """In theirs alone."""
    boxes: Sequence[Box]
    """The known answer."""
    classes: Sequence[str]
    note: str


@transaction.atomic
def make_gold(*, item: ReviewItem, note: str = "", by: User, at: datetime) -> GoldAnswer:
    """Let what was decided about `item` be a known answer; one that was retired is shown again.

    Raise `RevisionConflict` unless the item is done.
    """
    item = lock_item(item)
    annotation = item.sample.annotations.filter(is_current=True).first()
    if item.state != ReviewItem.State.DONE or annotation is None:
        raise RevisionConflict(item, "Only what is decided can be a known answer.")
    answer, _ = GoldAnswer.objects.update_or_create(
        item=item,
        defaults={"annotation": annotation, "note": note, "retired_at": None},
        create_defaults={
            "organization_id": item.organization_id,
            "annotation": annotation,
            "note": note,
            "by": by,
            "created_at": at,
        },
    )
    log.info("review.gold", item=str(item.pk), by=str(by.pk))
    return answer


def retire_gold(answer: GoldAnswer, *, at: datetime) -> bool:
    """Show a known answer to nobody new; return whether it was shown until now."""
    return bool(GoldAnswer.objects.filter(pk=answer.pk, retired_at=None).update(retired_at=at))


def judge_by_gold(verdict: Verdict, answer: GoldAnswer, *, at: datetime) -> None:
    """Judge a verdict by the known answer; who only passed the item on has not answered."""
    if verdict.outcome != Verdict.Outcome.PASSED:
        judge(verdict, _known(answer), at=at)


def feedback(verdict: Verdict) -> GoldFeedback | None:
    """Return what its labeler is told of an answer to a known answer; None of any other verdict."""
    if not verdict.is_gold or verdict.error is None:
        return None
    answer = GoldAnswer.objects.select_related("annotation").get(item=verdict.item_id)
    known, theirs = _known(answer), work_of(verdict)
    found = match_boxes(known.boxes, theirs.boxes, iou=verdict.item.queue.agreement_iou)
    n_found = len(found) + len(known.classes & theirs.classes)
    return GoldFeedback(
        is_right=verdict.error == 0.0,
        n_found=n_found,
        n_missed=len(known.boxes) + len(known.classes) - n_found,
        n_wrong=len(theirs.boxes) + len(theirs.classes) - n_found,
        boxes=known.boxes,
        classes=sorted(known.classes),
        note=answer.note,
    )


def _known(answer: GoldAnswer) -> Work:
    return Work(boxes_of(answer.annotation), frozenset(answer.annotation.classes))
