"""What a labeler may be given: open items with room for one more, and those with a known answer.

"Room" is what keeps an item from being decided too often: of the labelers that it asks for, those
who have decided and those who hold it now are counted together.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from webapp.accounts.models import Role, User
from webapp.review.flagging import gold_share_of, most_gold
from webapp.review.models import (
    PASS_PAUSE,
    GoldAnswer,
    Lease,
    ReviewItem,
    ReviewQueue,
    Team,
    Verdict,
)

_N_GOLD_LOOKED_AT = 1000


def deciding() -> Q:
    """Return which verdicts count among those that decide an item."""
    return Q(undone_at=None, is_gold=False) & ~Q(outcome=Verdict.Outcome.PASSED)


def claimable_items(queue: ReviewQueue, *, by: User, at: datetime) -> QuerySet[ReviewItem]:
    """Return the open items with room for `by`, who has neither decided nor just passed on them.

    The best come first.
    """
    live = Lease.objects.filter(item=OuterRef("pk"), expires_at__gt=at)
    n_live = live.order_by().values("item").annotate(n=Count("pk")).values("n")
    n_held = Coalesce(Subquery(n_live, output_field=IntegerField()), 0)
    return ReviewItem.objects.filter(
        meant_for(by),
        ~Exists(live.filter(holder=by)),
        ~Exists(_had_by(by, at=at)),
        queue=queue,
        state=ReviewItem.State.OPEN,
        n_labelers__gt=F("n_decided") + n_held,
    )


def meant_for(by: User) -> Q:
    """Return which items `by` may work on: nobody's in particular, theirs, and their teams'."""
    teams = Team.objects.filter(members=by)
    sent_back = Verdict.objects.filter(
        item=OuterRef("pk"), by=by, undone_as=Verdict.Undone.SENT_BACK
    )
    return (
        (Q(assignee=None) | Q(assignee=by))
        & (Q(team=None) | Q(team__in=teams))
        & (Q(queue__labelers=None) | Q(queue__labelers__in=teams))
        & (Q(is_returned=False) | Q(Exists(sent_back)))
    )


def _had_by(by: User, *, at: datetime) -> QuerySet[Verdict]:
    """Return the verdicts that keep an item out of `by`'s way."""
    passed = Q(outcome=Verdict.Outcome.PASSED, undone_at=None, created_at__gt=at - PASS_PAUSE)
    reverted = Q(undone_as=Verdict.Undone.REVERTED)
    return Verdict.objects.filter(deciding() | passed | reverted, item=OuterRef("pk"), by=by)


def held_items(
    queue: ReviewQueue, *, by: User, at: datetime, is_prepared: bool
) -> QuerySet[ReviewItem]:
    """Return the items that `by` has in hand to label, the longest held first."""
    is_gold = Exists(GoldAnswer.objects.filter(item=OuterRef("pk")))
    return ReviewItem.objects.filter(
        Q(state=ReviewItem.State.OPEN) | is_gold,
        queue=queue,
        leases__holder=by,
        leases__expires_at__gt=at,
        leases__is_prepared=is_prepared,
    ).order_by("leases__claimed_at")


def is_meant_for(item: ReviewItem, by: User) -> bool:
    """Return whether `by` may work on `item`; only what not all may takes a question."""
    is_everybodys = (
        item.assignee_id is None
        and item.team_id is None
        and item.queue.labelers_id is None
        and not item.is_returned
    )
    return is_everybodys or ReviewItem.objects.filter(meant_for(by), pk=item.pk).exists()


def has_room(item: ReviewItem, leases: Iterable[Lease], *, by: User, at: datetime) -> bool:
    """Return whether `item` still asks for a labeler besides those who decided or hold it.

    `leases` are all of the item.
    """
    n_others = sum(lease.is_live(at=at) and lease.holder_id != by.pk for lease in leases)
    return item.n_decided + n_others < item.n_labelers


def gold_asked_of(item: ReviewItem, *, by: User) -> GoldAnswer | None:
    """Return the known answer of a decided item that to `by` is an open one.

    They were given it, or may yet be. Admins know it, and are asked only what they were given.
    """
    answer = None
    if item.state != ReviewItem.State.OPEN:
        answer = GoldAnswer.objects.filter(item=item).first()
    if answer is None or item.leases.filter(holder=by).exists():
        return answer
    is_told = (
        answer.retired_at is not None
        or item.verdicts.filter(by=by).exists()
        or GoldAnswer.objects.for_actor(by, Role.ADMIN).filter(pk=answer.pk).exists()
    )
    return None if is_told else answer


def is_gold_hidden() -> Q:
    """Return which verdicts are on items that others are asked about, without knowing."""
    return Q(item__gold__isnull=False, item__gold__retired_at=None)


def gold_that_is_due(queue: ReviewQueue, *, by: User, at: datetime) -> ReviewItem | None:
    """Return an item with a known answer if it is time for one: more often for who erred lately.

    When it is time cannot be guessed, but is the same however often one asks: it is drawn by how
    many items `by` was given so far.
    """
    if not queue.gold_share:
        return None
    asked = GoldAnswer.objects.filter(item__queue=queue, retired_at=None)
    if not asked.exists():
        return None
    live = Lease.objects.filter(holder=by, expires_at__gt=at)
    n_given = Verdict.objects.filter(item__queue=queue, by=by).count()
    n_given += live.filter(item__queue=queue).count()
    draw = _draw(f"{queue.pk}{by.pk}{n_given}")
    if draw >= most_gold(queue):
        return None
    share = gold_share_of(queue, by)
    if draw >= share:
        return None
    seen = Verdict.objects.filter(item=OuterRef("item"), by=by)
    held = live.filter(item=OuterRef("item"))
    fresh = asked.filter(~Exists(seen), ~Exists(held))
    answers = list(fresh.order_by("-id").values_list("item", flat=True)[:_N_GOLD_LOOKED_AT])
    if not answers:
        return None
    return ReviewItem.objects.get(pk=answers[int(draw / share * len(answers))])


def _draw(text: str) -> float:
    """Return a number within 0..1 that nobody can foresee who does not know `text`."""
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest()) / 2**56
