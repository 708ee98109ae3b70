"""Why a labeler has nothing to do just now, and when there is more."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec
from django.db.models import Exists, Min, OuterRef, QuerySet

from processing.wire.camera import SamplePolicy
from webapp.accounts.models import Role, User
from webapp.datasets.models import Sample
from webapp.fleet.models import Camera
from webapp.review.models import PASS_PAUSE, Lease, ReviewItem, ReviewQueue, Verdict
from webapp.review.offers import claimable_items, held_items
from webapp.review.picking import policy_of
from webapp.review.queries import labelers_queues, open_items

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Outlook:
    """When more work is to be expected. Instants are None where there is nothing to wait for."""

    n_cameras: int
    """Online now: what pictures come from."""
    every_s: float
    """A camera in doubt sends one at most this often (the quickest of them)."""
    last_at: datetime | None
    """When the newest picture came."""
    n_in_hand: int
    """Open items that others hold."""
    frees_at: datetime | None
    """When the first of those is free again, if its labeler gives no sign of life."""
    n_passed: int
    """Open items that the labeler left to somebody else a while ago."""
    returns_at: datetime | None
    """When the first of those comes back to them."""
    n_coming: int
    """Pictures that have come and are still looked into."""
    n_to_check: int
    """Items that wait for a checker, who may send them back."""
    room_at: datetime | None
    """When a queue takes pictures again; None: one does now."""

    @property
    def next_at(self) -> datetime | None:
        """Return when to look again, if nothing happens before."""
        known = (self.frees_at, self.returns_at, self.room_at)
        return min((at for at in known if at is not None), default=None)


def has_work(actor: User, *, at: datetime) -> bool:
    """Return whether there is something for `actor` to do right now."""
    for queue in labelers_queues(actor):
        own = (held_items(queue, by=actor, at=at, is_prepared=each) for each in (False, True))
        if any(items.exists() for items in (*own, claimable_items(queue, by=actor, at=at))):
            return True
    return False


def outlook(actor: User, *, at: datetime) -> Outlook:
    """Return when `actor` may expect more work."""
    queues = list(labelers_queues(actor))
    cameras = Camera.objects.for_actor(actor, Role.LABELER).filter(
        state=Camera.State.ONLINE, is_enabled=True
    )
    online = [camera for camera in cameras.select_related("agent") if camera.agent.is_online(at=at)]
    newest = ReviewItem.objects.for_actor(actor, Role.LABELER).order_by("-created_at").first()
    items = open_items(queues, by=actor)
    others = _leases(items, at=at).exclude(holder=actor)
    passed = _passed(items, by=actor, at=at)
    returns = passed.aggregate(first=Min("created_at"))["first"]
    coming = Sample.objects.for_actor(actor, Role.LABELER).filter(state=Sample.State.RECEIVED)
    waiting = (ReviewItem.State.DISPUTED, ReviewItem.State.CHECKING)
    return Outlook(
        n_cameras=len(online),
        every_s=min((_policy(camera).every_s for camera in online), default=SamplePolicy().every_s),
        last_at=None if newest is None else newest.created_at,
        n_in_hand=others.values("item").distinct().count(),
        frees_at=others.aggregate(first=Min("expires_at"))["first"],
        n_passed=passed.values("item").distinct().count(),
        returns_at=None if returns is None else returns + PASS_PAUSE,
        n_coming=coming.count(),
        n_to_check=ReviewItem.objects.filter(queue__in=queues, state__in=waiting).count(),
        room_at=_room_at(queues, at=at),
    )


def _leases(items: QuerySet[ReviewItem], *, at: datetime) -> QuerySet[Lease]:
    return Lease.objects.filter(item__in=items, expires_at__gt=at)


def _passed(items: QuerySet[ReviewItem], *, by: User, at: datetime) -> QuerySet[Verdict]:
    held = Lease.objects.filter(item=OuterRef("item"), expires_at__gt=at)
    return Verdict.objects.filter(
        ~Exists(held),
        item__in=items,
        by=by,
        outcome=Verdict.Outcome.PASSED,
        undone_at=None,
        created_at__gt=at - PASS_PAUSE,
    ).order_by()


def _room_at(queues: Collection[ReviewQueue], *, at: datetime) -> datetime | None:
    """Return when the first of these queues, all full for the day, takes pictures again."""
    full_until = []
    for queue in queues:
        of_today = ReviewItem.objects.filter(queue=queue, created_at__gt=at - _DAY)
        n_most = policy_of(queue).items_a_day
        if n_most == 0:
            continue  # it takes what people send alone
        newest_first = of_today.order_by("-created_at").values_list("created_at", flat=True)
        filled_at = newest_first[n_most - 1 : n_most].first()
        if filled_at is None:
            return None
        full_until.append(filled_at + _DAY)
    return min(full_until, default=None)


def _policy(camera: Camera) -> SamplePolicy:
    try:
        return msgspec.convert(camera.sample_policy, SamplePolicy)
    except msgspec.ValidationError:
        return SamplePolicy()
