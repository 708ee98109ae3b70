"""Taking back a labeler's work as a set, once it has proved bad."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from webapp.accounts.models import User
from webapp.common.changes import record_change
from webapp.datasets.models import Annotation
from webapp.review.models import GoldAnswer, Lease, ReviewItem, ReviewQueue, Verdict
from webapp.review.offers import deciding

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reverted:
    """What became of a labeler's work."""

    n_reverted: int
    n_kept: int
    """Its truth is known from somebody else, or it serves as a known answer."""


def count_revertible(
    *, queue: ReviewQueue, labeler: User, since: datetime | None = None
) -> Reverted:
    """Return what `revert_work` would do now."""
    theirs = _decided_by(labeler, queue=queue, since=since)
    n_all, n_bad = theirs.count(), theirs.filter(_is_revertible()).count()
    return Reverted(n_reverted=n_bad, n_kept=n_all - n_bad)


@transaction.atomic
def revert_work(
    *, queue: ReviewQueue, labeler: User, since: datetime | None = None, by: User, at: datetime
) -> Reverted:
    """Undo what `labeler` decided in `queue` since then, and have others decide it.

    What was checked, or what all labelers of an item agreed on, stays.
    """
    theirs = _decided_by(labeler, queue=queue, since=since)
    items = ReviewItem.objects.filter(Exists(theirs.filter(item=OuterRef("pk"))))
    list(items.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    n_all = theirs.count()
    bad = list(theirs.filter(_is_revertible()).values_list("pk", "item"))
    Verdict.objects.filter(pk__in=[verdict for verdict, _ in bad]).update(
        undone_at=at, undone_as=Verdict.Undone.REVERTED, undone_by=by
    )
    again = ReviewItem.objects.filter(pk__in=[item for _, item in bad])
    closed = again.exclude(state=ReviewItem.State.OPEN)
    Lease.objects.filter(item__in=closed).delete()
    Annotation.objects.filter(sample__review_item__in=closed).update(is_current=False)
    again.update(n_decided=F("n_decided") - 1, agreement=None)
    closed.update(state=ReviewItem.State.OPEN, revision=F("revision") + 1)
    record_change(queue.organization_id, "review", at=at)
    log.warning("review.reverted", queue=str(queue.pk), labeler=str(labeler.pk), n=len(bad))
    return Reverted(n_reverted=len(bad), n_kept=n_all - len(bad))


def _decided_by(labeler: User, *, queue: ReviewQueue, since: datetime | None) -> QuerySet[Verdict]:
    found = Verdict.objects.filter(deciding(), item__queue=queue, by=labeler)
    return found if since is None else found.filter(created_at__gte=since)


def _is_revertible() -> Q:
    is_gold = Exists(GoldAnswer.objects.filter(item=OuterRef("item")))
    return ~Q(is_gold) & Q(judged_at=None)
