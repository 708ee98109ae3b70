"""Who holds an item: a lease that runs out by itself, read at the moment that somebody asks.

Two labelers never get the same item. PostgreSQL locks the row and others skip it; on SQLite every
transaction takes the write lock at its beginning. Because a row lock does not make an older
snapshot of the leases newer, the lease is read again once the row is ours.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from webapp.accounts.models import User
from webapp.common.changes import record_change
from webapp.review.models import LEASE, PREPARED_LEASE, Lease, ReviewItem, ReviewQueue
from webapp.review.queries import claimable_items, held_items, live_lease


class ItemMoved(Exception):
    """The item is not as the labeler has it; show them how it is now. Nothing was written."""

    def __init__(self, item: ReviewItem, why: str) -> None:
        super().__init__(why)
        self.item = item


class HeldByAnother(ItemMoved):
    """Somebody else has the item in hand."""


class RevisionConflict(ItemMoved):
    """The item was written since the labeler read it."""


@transaction.atomic
def claim_next(*, queue: ReviewQueue, by: User, at: datetime) -> ReviewItem | None:
    """Return the item that `by` is to look at, theirs for `LEASE`; None when there is none.

    What `by` already works on comes first, then what was prepared for them, then the best free one.
    """
    item = (
        _own_item(queue, by=by, at=at, is_prepared=False)
        or _own_item(queue, by=by, at=at, is_prepared=True)
        or _lock_free_item(queue, by=by, at=at)
    )
    if item is not None:
        take(item, by=by, at=at)
    return item


@transaction.atomic
def prepare_next(
    *, queue: ReviewQueue, by: User, besides: Collection[UUID], at: datetime
) -> ReviewItem | None:
    """Return the item that `by` comes to after those in `besides`, theirs for `PREPARED_LEASE`.

    It counts as work only once `start_item` says that `by` has it on the screen. When nothing else
    is left, it is what `by` left unfinished elsewhere.
    """
    item = _own_item(queue, by=by, at=at, is_prepared=True, besides=besides)
    item = item or _lock_free_item(queue, by=by, at=at, besides=besides)
    if item is not None:
        take(item, by=by, at=at, is_prepared=True)
        return item
    return _own_item(queue, by=by, at=at, is_prepared=False, besides=besides)


@transaction.atomic
def start_item(*, item: ReviewItem, by: User, at: datetime) -> ReviewItem:
    """Say that `by` has `item` on the screen, which makes it theirs for `LEASE`.

    Raise `HeldByAnother`, or `RevisionConflict` when it is decided already.
    """
    item = lock_item(item)
    refuse_unless_open(item)
    refuse_if_held_by_another(item, by=by, at=at)
    take(item, by=by, at=at)
    return item


@transaction.atomic
def renew_lease(*, item: ReviewItem, by: User, at: datetime) -> Lease:
    """Keep `item` for `by` a little longer; a lease that ran out is taken anew while it can be.

    Raise `HeldByAnother`, or `RevisionConflict` when it is decided already.
    """
    item = lock_item(item)
    refuse_unless_open(item)
    refuse_if_held_by_another(item, by=by, at=at)
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
    return (
        ReviewItem.objects.select_for_update(of=("self",))
        .select_related("sample__bundle")
        .get(pk=item.pk)
    )


def refuse_unless_open(item: ReviewItem) -> None:
    """Raise `RevisionConflict` when `item` is decided."""
    if item.state != ReviewItem.State.OPEN:
        raise RevisionConflict(item, "This picture has been decided in the meantime.")


def refuse_if_held_by_another(item: ReviewItem, *, by: User, at: datetime) -> None:
    """Raise `HeldByAnother` unless `item` is free or held by `by`."""
    lease = live_lease(item, at=at)
    if lease is not None and lease.holder_id != by.pk:
        raise HeldByAnother(item, f"{lease.holder} has this picture in hand.")


def take(item: ReviewItem, *, by: User, at: datetime, is_prepared: bool = False) -> Lease:
    """Write the lease of a locked item that is free or already `by`'s."""
    lease = Lease.objects.filter(item=item).first() or Lease(item=item, claimed_at=at)
    is_new = (
        lease.holder_id != by.pk or lease.is_prepared != is_prepared or not lease.is_live(at=at)
    )
    if is_new:
        lease.holder, lease.claimed_at, lease.is_prepared = by, at, is_prepared
    lease.organization_id = item.organization_id
    lease.expires_at = at + (PREPARED_LEASE if is_prepared else LEASE)
    lease.save()
    if is_new and not is_prepared:
        record_change(item.organization_id, "review", at=at)
    return lease


def _own_item(
    queue: ReviewQueue,
    *,
    by: User,
    at: datetime,
    is_prepared: bool,
    besides: Collection[UUID] = (),
) -> ReviewItem | None:
    held = held_items(queue, by=by, at=at, is_prepared=is_prepared)
    return held.exclude(pk__in=besides).select_for_update(of=("self",)).first()


def _lock_free_item(
    queue: ReviewQueue, *, by: User, at: datetime, besides: Collection[UUID] = ()
) -> ReviewItem | None:
    passed_over = set(besides)
    while True:
        free = claimable_items(queue, by=by, at=at).exclude(pk__in=passed_over)
        item = free.select_for_update(skip_locked=True, of=("self",)).first()
        if item is None or live_lease(item, at=at) is None:
            return item
        passed_over.add(item.pk)
