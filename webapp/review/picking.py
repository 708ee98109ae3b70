"""Which samples become work: each queue's policy, its budgets, and never nearly the same twice.

What is passed over stays a sample, and says why. When a camera's budget is spent, a sample that is
more urgent takes the place of the least urgent item that nobody has touched yet.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from processing.wire.packed import PackedDetection, unpack
from webapp.accounts.models import Organization
from webapp.common.changes import record_change
from webapp.datasets.models import Sample
from webapp.review.appraisal import WANTED, Novelty, Pick, appraise
from webapp.review.evidence import evidence_of
from webapp.review.models import ReviewItem, ReviewQueue
from webapp.review.policies import SelectionPolicy

FIRST_QUEUE: Final = "Doubtful pictures"
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_HOUR_OF_DAY: Final = 8
"""An hour may take this fraction of a day's items."""
_MOST_COMPARED: Final = 200
_SAME_PLACE: Final = 0.5
"""Two boxes of one class with this IoU are the same thing."""
_ALL_BITS: Final = (1 << 64) - 1


@transaction.atomic
def open_item(
    *, sample: Sample, at: datetime, queue: ReviewQueue | None = None, pick: Pick | None = None
) -> ReviewItem:
    """Make a checked sample work, whatever the budgets; once, however often it is called."""
    queue = queue or _first_queue(sample.organization)
    pick = pick or _pick_anyway(sample, policy_of(queue), at=at)
    due_s = queue.due_after_s
    item, is_new = ReviewItem.objects.get_or_create(
        sample=sample,
        defaults={
            "organization_id": sample.organization_id,
            "queue": queue,
            "reason": pick.reason,
            "figure": pick.figure,
            "why": pick.why[:500],
            "priority": pick.urgency,
            "n_labelers": queue.n_labelers,
            "due_at": at + timedelta(seconds=due_s) if due_s is not None else None,
            "created_at": at,
        },
    )
    if is_new:
        if sample.passed_over:
            sample.passed_over = ""
            sample.save(update_fields=["passed_over"])
        record_change(sample.organization_id, "review", at=at)
    return item


def policy_of(queue: ReviewQueue) -> SelectionPolicy:
    """Return the queue's policy; what no version of us can read counts as not said."""
    try:
        return msgspec.convert(queue.policy, SelectionPolicy)
    except msgspec.ValidationError:
        return SelectionPolicy()


@transaction.atomic
def consider_sample(
    *, sample: Sample, at: datetime, novelty: Novelty | None = None
) -> ReviewItem | None:
    """Make a checked sample an item of the first queue that wants it and has room; None: of none.

    A sample that was considered before is not considered again.
    """
    if known := ReviewItem.objects.filter(sample=sample).first():
        return known
    evidence = evidence_of(sample, novelty=novelty, at=at)
    why_not = "No queue's policy asks for it"
    # One at a time counts what is left of a budget.
    queues = ReviewQueue.objects.filter(organization=sample.organization).select_for_update()
    for queue in queues.order_by("id") or [_first_queue(sample.organization)]:
        policy = policy_of(queue)
        pick = appraise(evidence, policy)
        if pick is None:
            continue
        why_not = _why_not(sample, pick, queue, policy, at=at)
        if not why_not:
            return open_item(sample=sample, at=at, queue=queue, pick=pick)
    sample.passed_over = why_not
    sample.save(update_fields=["passed_over"])
    return None


def judge_anew(item: ReviewItem, *, at: datetime) -> None:
    """Say again why an item is work, after what is known of its sample has changed."""
    pick = _pick_anyway(item.sample, policy_of(item.queue), at=at)
    ReviewItem.objects.filter(pk=item.pk, state=ReviewItem.State.OPEN).update(
        reason=pick.reason, figure=pick.figure, why=pick.why[:500], priority=pick.urgency
    )


def is_nearly(sample: Sample, other: Sample, policy: SelectionPolicy) -> bool:
    """Return whether two samples of one camera are nearly one picture, of the same things in doubt.

    The picture alone does not tell: whoever walks through it changes few of its bits.
    """
    if sample.fingerprint is None or other.fingerprint is None:
        return False
    n_bits = ((sample.fingerprint ^ other.fingerprint) & _ALL_BITS).bit_count()
    if n_bits > policy.alike_bits or sample.bundle_id != other.bundle_id:
        return False
    known = list(unpack(bytes(other.predictions)))
    return all(
        any(one.label == two.label and _iou(one, two) >= _SAME_PLACE for two in known)
        for one in unpack(bytes(sample.predictions))
        if policy.low_score <= one.score <= policy.high_score
    )


def _why_not(
    sample: Sample, pick: Pick, queue: ReviewQueue, policy: SelectionPolicy, *, at: datetime
) -> str:
    """Return in words why the queue does not take the sample now; empty: it does."""
    if pick.urgency >= WANTED or pick.reason == "imported":
        return ""
    of_today = ReviewItem.objects.filter(queue=queue, created_at__gt=at - _DAY)
    if of_today.count() >= policy.items_a_day:
        return f"The queue has its {policy.items_a_day} pictures of the day"
    of_camera = of_today.filter(sample__camera=sample.camera)
    if pick.reason == "random":
        return _why_not_random(of_camera, policy, at=at)
    if twin := _nearly_the_same(sample, of_camera, policy):
        return f"Nearly the picture of {twin.captured_at:%d %b %H:%M:%S} UTC, which is in the queue"
    n_day = policy.items_a_camera_and_day
    n_hour = -(-n_day // _HOUR_OF_DAY)
    of_camera = of_camera.exclude(reason="random").exclude(priority__gte=WANTED)
    n = of_camera.aggregate(
        of_day=Count("id"), of_hour=Count("id", filter=Q(created_at__gt=at - _HOUR))
    )
    if n["of_day"] >= n_day:
        full, words = of_camera, f"its {n_day} pictures of the day"
    elif n["of_hour"] >= n_hour:
        full, words = of_camera.filter(created_at__gt=at - _HOUR), f"{n_hour} of this hour"
    else:
        return ""
    return "" if _made_room(full, pick) else f"Its camera has {words} in the queue"


def _why_not_random(
    of_camera: QuerySet[ReviewItem], policy: SelectionPolicy, *, at: datetime
) -> str:
    """Space random items evenly: which comes next must not depend on what is in it."""
    n_day = policy.random_share * policy.items_a_camera_and_day
    if n_day <= 0.0:
        return "The queue takes no random slice"
    apart = _DAY / max(n_day, 1.0)
    if of_camera.filter(reason="random", created_at__gt=at - apart).exists():
        return f"The random slice has one picture of its camera every {apart / _HOUR:g} hours"
    return ""


def _nearly_the_same(
    sample: Sample, items: QuerySet[ReviewItem], policy: SelectionPolicy
) -> Sample | None:
    newest = items.select_related("sample").order_by("-created_at")[:_MOST_COMPARED]
    return next((item.sample for item in newest if is_nearly(sample, item.sample, policy)), None)


def _made_room(items: QuerySet[ReviewItem], pick: Pick) -> bool:
    """Withdraw the least urgent of these that nobody has touched, if `pick` is more urgent."""
    untouched = items.filter(
        state=ReviewItem.State.OPEN, verdicts=None, leases=None, assignee=None, gold=None
    )
    unwritten = untouched.select_for_update(skip_locked=True, of=("self",))
    least = unwritten.select_related("sample").order_by("priority", "created_at").first()
    if least is None or least.priority >= pick.urgency:
        return False
    if not untouched.filter(pk=least.pk).exists():
        return False  # somebody took it before it was ours; what we read then was older
    least.sample.passed_over = f"Gave way to a picture that was more urgent: {pick.why}"[:200]
    least.sample.save(update_fields=["passed_over"])
    least.delete()
    return True


def _pick_anyway(sample: Sample, policy: SelectionPolicy, *, at: datetime) -> Pick:
    found = appraise(evidence_of(sample, novelty=None, at=at), policy)
    if found is not None:
        return found
    return Pick("low_confidence", sample.score, sample.get_reason_display(), 0.0)


def _first_queue(organization: Organization) -> ReviewQueue:
    oldest = ReviewQueue.objects.filter(organization=organization).order_by("id").first()
    if oldest is not None:
        return oldest
    queue, _ = ReviewQueue.objects.get_or_create(organization=organization, name=FIRST_QUEUE)
    return queue


def _iou(one: PackedDetection, two: PackedDetection) -> float:
    wide = min(one.x1, two.x1) - max(one.x0, two.x0)
    high = min(one.y1, two.y1) - max(one.y0, two.y0)
    if wide <= 0.0 or high <= 0.0:
        return 0.0
    both = (one.x1 - one.x0) * (one.y1 - one.y0) + (two.x1 - two.x0) * (two.y1 - two.y0)
    return wide * high / (both - wide * high)
