"""What a checker may decide, as JSON, and doing it: the same for pages and for the API."""

from datetime import datetime
from typing import Annotated, assert_never

from msgspec import Meta, Struct

from processing.wire.limits import MAX_DETECTIONS, MAX_TEXT
from webapp.accounts.models import User
from webapp.review.boxes import Box, ClassName
from webapp.review.checking import accept_work, fix_work, reject_work
from webapp.review.exchange import FindingsByHand, Revision
from webapp.review.models import Check, ReviewItem

Comment = Annotated[str, Meta(max_length=MAX_TEXT, pattern=r"^[^\x00]*$")]
_N_REASONS = len(Check.Reason)


class Accept(Struct, frozen=True, forbid_unknown_fields=True, tag_field="decision", tag="accept"):
    """What the labelers agree on is the truth."""

    revision: Revision
    comment: Comment = ""


class SendBack(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="decision", tag="send_back"
):
    """They are to do it again."""

    revision: Revision
    reasons: Annotated[tuple[Check.Reason, ...], Meta(min_length=1, max_length=_N_REASONS)]
    comment: Comment = ""


class Settle(Struct, frozen=True, forbid_unknown_fields=True, tag_field="decision", tag="settle"):
    """This is how it is, or nobody can tell."""

    revision: Revision
    boxes: Annotated[tuple[Box, ...], Meta(max_length=MAX_DETECTIONS)] = ()
    classes: Annotated[tuple[ClassName, ...], Meta(max_length=64)] = ()
    findings: FindingsByHand = {}
    is_ambiguous: bool = False
    reasons: Annotated[tuple[Check.Reason, ...], Meta(max_length=_N_REASONS)] = ()
    comment: Comment = ""


CheckRequest = Accept | SendBack | Settle


def decide_check(item: ReviewItem, wish: CheckRequest, *, by: User, at: datetime) -> ReviewItem:
    """Do what a checker wishes; raise as `webapp.review.checking` does."""
    match wish:
        case Accept(revision, comment):
            return accept_work(item=item, by=by, revision=revision, comment=comment, at=at)
        case SendBack(revision, reasons, comment):
            return reject_work(
                item=item, by=by, revision=revision, reasons=reasons, comment=comment, at=at
            )
        case Settle():
            return fix_work(
                item=item,
                by=by,
                revision=wish.revision,
                boxes=wish.boxes,
                classes=wish.classes,
                findings=wish.findings,
                is_ambiguous=wish.is_ambiguous,
                reasons=wish.reasons,
                comment=wish.comment,
                at=at,
            )
        case _:
            assert_never(wish)
