"""Who holds an item: a lease that runs out by itself, read at the moment that somebody asks.

No item gets more labelers than it asks for. PostgreSQL locks the row and others skip it; on SQLite
every transaction takes the write lock at its beginning. Because a row lock does not make an older
snapshot of the leases newer, they are read again once the row is ours.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from webapp.accounts.models import User
from webapp.common.changes import record_change
from webapp.review.models import LEASE, PREPARED_LEASE, Lease, ReviewItem, ReviewQueue
from webapp.review.offers import (
    claimable_items,
    deciding,
    gold_asked_of,
    gold_that_is_due,
    has_room,
    held_items,
    is_meant_for,
)

BEAT: Final = timedelta(seconds=60)
"""The most that counts as work between two signs of life: the editor gives one every 30 s."""


class ItemMoved(Exception):
    """The item is not as the labeler has it; show them how it is now. Nothing was written."""

    def __init__(self, item: ReviewItem, why: str) -> None:
        super().__init__(why)
        self.item = item


class HeldByAnother(ItemMoved):
    """Others have the item in hand, and it asks for no more."""


class NotTheirs(ItemMoved):
    """The item is for somebody else."""


class RevisionConflict(ItemMoved):
    """The item was written since the labeler read it."""


def claim_next(*, queue: ReviewQueue, by: User, at: datetime) -> ReviewItem | None:
    """Return the item that `by` is to look at, theirs for `LEASE`; None when there is none.

    What `by` already works on comes first, then what was prepared for them, then the best free one.
    """
    for is_prepared in (False, True):
        if item := _take_own(queue, by=by, at=at, is_prepared=is_prepared):
            return item
    return _take_free(queue, by=by, at=at)


def prepare_next(
    *, queue: ReviewQueue, by: User, besides: Collection[UUID], at: datetime
) -> ReviewItem | None:
    """Return the item that `by` comes to after those in `besides`, theirs for `PREPARED_LEASE`.

    It counts as work only once `start_item` says that `by` has it on the screen. When nothing else
    is left, it is what `by` left unfinished elsewhere.
    """
    return (
        _take_own(queue, by=by, at=at, is_prepared=True, besides=besides, prepare=True)
        or _take_free(queue, by=by, at=at, besides=besides, prepare=True)
        or held_items(queue, by=by, at=at, is_prepared=False).exclude(pk__in=besides).first()
    )


@transaction.atomic
def start_item(*, item: ReviewItem, by: User, at: datetime) -> ReviewItem:
    """Say that `by` has `item` on the screen, which makes it theirs for `LEASE`.

    Raise as `refuse_unless_open_to` does.
    """
    item = lock_item(item)
    refuse_unless_open_to(item, by=by, at=at)
    take(item, by=by, at=at)
    return item


@transaction.atomic
def renew_lease(*, item: ReviewItem, by: User, at: datetime) -> Lease:
    """Keep `item` for `by` a little longer; a lease that ran out is taken anew while it can be.

    Raise as `refuse_unless_open_to` does.
    """
    item = lock_item(item)
    refuse_unless_open_to(item, by=by, at=at)
    own = Lease.objects.filter(item=item, holder=by).first()
    return take(item, by=by, at=at, is_prepared=own is not None and own.is_prepared)


@transaction.atomic
def release_item(*, item: ReviewItem, by: User, at: datetime) -> bool:
    """Give `item` back to the queue; return whether `by` held it."""
    n_deleted, _ = Lease.objects.filter(item=item, holder=by).delete()
    if n_deleted:
        record_change(item.organization_id, "review", at=at)
    return bool(n_deleted)


def lock_item(item: ReviewItem) -> ReviewItem:
    """Return `item` as it is now, nobody else's to write until the transaction ends."""
    locked = ReviewItem.objects.select_for_update(of=("self",))
    return locked.select_related("queue").get(pk=item.pk)


def lock_whole_item(item: ReviewItem) -> ReviewItem:
    """Return `item` as `lock_item` does, with what deciding and showing it asks for."""
    return _whole(ReviewItem.objects.select_for_update(of=("self",))).get(pk=item.pk)


def _whole(items: QuerySet[ReviewItem]) -> QuerySet[ReviewItem]:
    return items.select_related("queue", "sample__bundle", "sample__camera")


def refuse_if_stale(item: ReviewItem, revision: int) -> None:
    """Raise `RevisionConflict` when `item` was written since `revision`."""
    if item.revision != revision:
        raise RevisionConflict(item, "This picture was changed in the meantime.")


def refuse_unless_open_to(item: ReviewItem, *, by: User, at: datetime) -> None:
    """Raise unless `by` may decide `item` now: `RevisionConflict` when it is decided, or `by` has.

    `NotTheirs` when it is for somebody else, `HeldByAnother` when others have it in hand.
    """
    is_gold = gold_asked_of(item, by=by) is not None
    if is_gold and item.leases.filter(holder=by).exists():
        return
    if item.state != ReviewItem.State.OPEN and not is_gold:
        raise RevisionConflict(item, "This picture has been decided in the meantime.")
    if item.verdicts.filter(deciding(), by=by).exists():
        raise RevisionConflict(item, "You have decided this picture already.")
    if not is_meant_for(item, by):
        raise NotTheirs(item, "This picture is for somebody else.")
    if not is_gold:
        _refuse_if_full(item, by=by, at=at)


def _refuse_if_full(item: ReviewItem, *, by: User, at: datetime) -> None:
    leases = item.leases.all()
    if has_room(item, leases, by=by, at=at):
        return
    holder = next(
        lease.holder for lease in leases if lease.is_live(at=at) and lease.holder_id != by.pk
    )
    raise HeldByAnother(item, f"{holder} has this picture in hand.")


def take(item: ReviewItem, *, by: User, at: datetime, is_prepared: bool = False) -> Lease:
    """Write `by`'s lease of a locked item; leases of others that ran out go."""
    leases = list(item.leases.all())
    own = (lease for lease in leases if lease.holder_id == by.pk)
    lease = next(own, None)
    ran_out = [each.pk for each in leases if each is not lease and not each.is_live(at=at)]
    if ran_out and item.state == ReviewItem.State.OPEN:
        Lease.objects.filter(pk__in=ran_out).delete()
    goes_on = lease is not None and lease.is_prepared == is_prepared and lease.is_live(at=at)
    if lease is None:
        lease = Lease(item=item, holder=by, organization_id=item.organization_id)
    if goes_on:
        lease.active_s = active_s(lease, at=at)
    else:
        lease.claimed_at, lease.active_s, lease.is_prepared = at, 0.0, is_prepared
    lease.seen_at = at
    lease.expires_at = at + (PREPARED_LEASE if is_prepared else LEASE)
    lease.save()
    if not goes_on and not is_prepared:
        record_change(item.organization_id, "review", at=at)
    return lease


def active_s(lease: Lease, *, at: datetime) -> float:
    """Return how long its holder has worked on the item: what was waited through is not counted."""
    if lease.is_prepared:
        return 0.0
    return lease.active_s + min(at - lease.seen_at, BEAT).total_seconds()


@transaction.atomic
def _take_own(
    queue: ReviewQueue,
    *,
    by: User,
    at: datetime,
    is_prepared: bool,
    besides: Collection[UUID] = (),
    prepare: bool = False,
) -> ReviewItem | None:
    leases = Lease.objects.filter(holder=by, expires_at__gt=at, is_prepared=is_prepared)
    if not leases.exclude(item__in=besides).exists():
        return None  # the usual case, and a cheap question
    held = held_items(queue, by=by, at=at, is_prepared=is_prepared).exclude(pk__in=besides)
    item = _whole(held).select_for_update(of=("self",)).first()
    if item is not None:
        take(item, by=by, at=at, is_prepared=prepare)
    return item


def _take_free(
    queue: ReviewQueue,
    *,
    by: User,
    at: datetime,
    besides: Collection[UUID] = (),
    prepare: bool = False,
) -> ReviewItem | None:
    """Take the best item with room: first of those that nobody is writing, then of all.

    One lock is held at a time, so that those who wait for one another come to an end.
    """
    passed_over = set(besides)
    gold = gold_that_is_due(queue, by=by, at=at)
    if gold is not None and gold.pk not in passed_over:
        with transaction.atomic():
            gold = lock_whole_item(gold)
            take(gold, by=by, at=at, is_prepared=prepare)
        return gold
    is_patient = False
    while True:
        free = _whole(claimable_items(queue, by=by, at=at)).exclude(pk__in=passed_over)
        with transaction.atomic():
            item = _lock_best(free, queue, at=at, is_patient=is_patient)
            if item is not None and has_room(item, item.leases.all(), by=by, at=at):
                take(item, by=by, at=at, is_prepared=prepare)
                return item
        if item is not None:
            passed_over.add(item.pk)
        elif free.exists():
            is_patient = True  # whoever writes it may leave room
        else:
            return None


def _lock_best(
    free: QuerySet[ReviewItem], queue: ReviewQueue, *, at: datetime, is_patient: bool
) -> ReviewItem | None:
    """Return what is overdue longest, else what is worth most, as it is once it is ours.

    To wait within an ordered query would hold every row that it waited for in vain.
    """
    if not is_patient:
        free = free.select_for_update(skip_locked=True, of=("self",))
    late = ReviewItem.objects.filter(queue=queue, state=ReviewItem.State.OPEN, due_at__lte=at)
    is_any_late = late.exists()  # mostly none is, and to know that is cheap
    overdue = free.filter(due_at__lte=at).order_by("due_at").first() if is_any_late else None
    best = overdue or free.first()
    return lock_whole_item(best) if best is not None and is_patient else best
