"""Reads for labelers' pages: how the queue stands, what may be claimed, one item in full."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse

from processing.wire.messages import SamplePolicy
from processing.wire.packed import count_labels
from webapp.accounts.models import Role, User
from webapp.datasets.models import Annotation, Sample
from webapp.fleet.models import Camera
from webapp.review.boxes import Box, PredictedBox, predicted_boxes
from webapp.review.models import PASS_PAUSE, Lease, ReviewItem, ReviewQueue, Verdict

N_KEYED_LABELS = 9
"""Classes that have a number key."""

_N_LATELY = 100
_N_RECENT = 12


@dataclass(frozen=True)
class QueueStatus:
    """How the work stands, for one labeler."""

    n_open: int
    """Items to be decided, whoever holds them."""
    n_leased: int
    """Of those, in somebody's hands right now."""
    n_done_today: int
    """Decided since midnight UTC, by everybody."""
    n_mine_today: int

    @property
    def percent_done(self) -> int:
        """Return how much of today's work is done, 0..100."""
        return round(100 * self.n_done_today / (self.n_done_today + self.n_open or 1))


@dataclass(frozen=True)
class Outlook:
    """When more work is to be expected."""

    n_cameras: int
    """Online now: what pictures come from."""
    every_s: float
    """A camera in doubt sends one at most this often (the quickest of them)."""
    last_at: datetime | None
    """When the newest picture came."""


@dataclass(frozen=True)
class HeldBy:
    """Who has an item in hand."""

    name: str
    is_me: bool
    until: datetime


@dataclass(frozen=True)
class Decided:
    """The standing verdict of an item."""

    id: UUID
    outcome: str
    by: str
    is_mine: bool
    at: datetime
    boxes: Sequence[Box]


@dataclass(frozen=True)
class ItemForEditor:
    """All that the editor shows of one item."""

    id: UUID
    url: str
    revision: int
    state: str
    picture_url: str
    width: int
    height: int
    camera: str
    captured_at: datetime
    bundle: str
    reason: str
    """Why the picture is here, in words, with the figure."""
    predictions: Sequence[PredictedBox]
    doubtful: int | None
    """Which prediction is the reason."""
    boxes: Sequence[Box]
    """What to begin with: what a labeler last saved, else the predictions."""
    labels: Sequence[str]
    frequent_labels: Sequence[str]
    """At most nine, the commonest on this camera first: the number keys."""
    held_by: HeldBy | None
    decided: Decided | None


def labelers_queues(actor: User) -> QuerySet[ReviewQueue]:
    """Return the queues that `actor` may label, oldest first."""
    return ReviewQueue.objects.for_actor(actor, Role.LABELER).order_by("id")


def claimable_items(queue: ReviewQueue, *, by: User, at: datetime) -> QuerySet[ReviewItem]:
    """Return the open items that nobody holds and that `by` has not just passed on, best first."""
    live = Lease.objects.filter(item=OuterRef("pk"), expires_at__gt=at)
    passed = Verdict.objects.filter(
        item=OuterRef("pk"),
        by=by,
        outcome=Verdict.Outcome.PASSED,
        undone_at=None,
        created_at__gt=at - PASS_PAUSE,
    )
    return ReviewItem.objects.filter(
        ~Exists(live), ~Exists(passed), queue=queue, state=ReviewItem.State.OPEN
    )


def held_items(
    queue: ReviewQueue, *, by: User, at: datetime, is_prepared: bool
) -> QuerySet[ReviewItem]:
    """Return the open items that `by` holds, the longest held first."""
    return ReviewItem.objects.filter(
        queue=queue,
        state=ReviewItem.State.OPEN,
        lease__holder=by,
        lease__expires_at__gt=at,
        lease__is_prepared=is_prepared,
    ).order_by("lease__claimed_at")


def queue_status(queues: Collection[ReviewQueue], *, by: User, at: datetime) -> QueueStatus:
    """Return how the work in `queues` stands."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    items = ReviewItem.objects.filter(queue__in=queues, state=ReviewItem.State.OPEN)
    decided = Verdict.objects.filter(
        item__queue__in=queues, created_at__gte=midnight, undone_at=None
    ).exclude(outcome=Verdict.Outcome.PASSED)
    return QueueStatus(
        n_open=items.count(),
        n_leased=items.filter(lease__expires_at__gt=at, lease__is_prepared=False).count(),
        n_done_today=decided.count(),
        n_mine_today=decided.filter(by=by).count(),
    )


def outlook(actor: User, *, at: datetime) -> Outlook:
    """Return when `actor` may expect more work."""
    cameras = Camera.objects.for_actor(actor, Role.LABELER).filter(
        state=Camera.State.ONLINE, is_enabled=True
    )
    online = [camera for camera in cameras.select_related("agent") if camera.agent.is_online(at=at)]
    newest = ReviewItem.objects.for_actor(actor, Role.LABELER).order_by("-created_at").first()
    return Outlook(
        n_cameras=len(online),
        every_s=min((_policy(camera).every_s for camera in online), default=SamplePolicy().every_s),
        last_at=None if newest is None else newest.created_at,
    )


def _policy(camera: Camera) -> SamplePolicy:
    try:
        return msgspec.convert(camera.sample_policy, SamplePolicy)
    except msgspec.ValidationError:
        return SamplePolicy()


def recent_verdicts(queues: Collection[ReviewQueue], *, by: User) -> list[Verdict]:
    """Return what `by` decided last, newest first, without what was taken back."""
    return list(
        Verdict.objects.filter(item__queue__in=queues, by=by, undone_at=None)
        .select_related("item__sample__camera", "item__sample__thumbnail", "annotation")
        .order_by("-created_at")[:_N_RECENT]
    )


def standing_verdict(item: ReviewItem) -> Verdict | None:
    """Return what decided `item`, if anything did and was not taken back."""
    return (
        item.verdicts.filter(undone_at=None)
        .exclude(outcome=Verdict.Outcome.PASSED)
        .select_related("by", "annotation")
        .first()
    )


def live_lease(item: ReviewItem, *, at: datetime) -> Lease | None:
    """Return who holds `item` now, if anybody does."""
    return Lease.objects.filter(item=item, expires_at__gt=at).select_related("holder").first()


def item_for_editor(item: ReviewItem, *, by: User, at: datetime) -> ItemForEditor:
    """Return all that the editor shows of `item` to `by`."""
    sample = item.sample
    predicted = predictions_of(sample)
    doubtful = doubtful_prediction(sample, predicted)
    decided = standing_verdict(item)
    lease = live_lease(item, at=at)
    return ItemForEditor(
        id=item.pk,
        url=reverse("review_item", args=[item.pk]),
        revision=item.revision,
        state=item.state,
        picture_url=reverse("picture", args=[sample.pk]),
        width=sample.width,
        height=sample.height,
        camera=sample.camera.name,
        captured_at=sample.captured_at,
        bundle=sample.bundle.digest,
        reason=reason_in_words(sample, None if doubtful is None else predicted[doubtful]),
        predictions=predicted,
        doubtful=doubtful,
        boxes=_boxes_to_begin_with(sample, predicted),
        labels=sample.bundle.labels,
        frequent_labels=frequent_labels(sample),
        held_by=None if lease is None else _held_by(lease, by=by),
        decided=None if decided is None else _decided(decided, by=by),
    )


def predictions_of(sample: Sample) -> list[PredictedBox]:
    """Return what the bundle saw in the sample, as far as it can be edited."""
    return list(
        predicted_boxes(
            bytes(sample.predictions),
            labels=sample.bundle.labels,
            width=sample.width,
            height=sample.height,
        )
    )


def frequent_labels(sample: Sample) -> list[str]:
    """Return the classes that are commonest in what this camera kept lately, then the others."""
    lately = Sample.objects.filter(camera=sample.camera_id, bundle=sample.bundle_id)
    counts: Counter[int] = Counter()
    for packed in lately.values_list("predictions", flat=True)[:_N_LATELY]:
        counts.update(count_labels(bytes(packed)))
    labels = sample.bundle.labels
    common = [labels[label] for label, _ in counts.most_common() if label < len(labels)]
    return list(dict.fromkeys([*common, *labels]))[:N_KEYED_LABELS]


def doubtful_prediction(sample: Sample, predicted: Sequence[PredictedBox]) -> int | None:
    """Return the index of the prediction that the sample was kept for, if one was."""
    if sample.reason == Sample.Reason.RANDOM or not predicted:
        return None
    return min(range(len(predicted)), key=lambda index: abs(predicted[index].score - sample.score))


def reason_in_words(sample: Sample, doubtful: PredictedBox | None) -> str:
    """Return why the sample is here, naming the thing in doubt and its score."""
    if sample.reason == Sample.Reason.RANDOM:
        return "Taken at random, so that what is measured stays unbiased"
    what = f"“{doubtful.label}”" if doubtful else "this picture"
    return f"In doubt about {what}: the model is {sample.score:.0%} sure"


def _boxes_to_begin_with(sample: Sample, predicted: Sequence[PredictedBox]) -> list[Box]:
    saved = Annotation.objects.filter(sample=sample).order_by("-created_at").first()
    if saved is not None:
        return boxes_of(saved)
    return [Box(xyxy=box.xyxy, label=box.label) for box in predicted]


def boxes_of(annotation: Annotation) -> list[Box]:
    """Return an annotation's boxes, typed."""
    return [Box(xyxy=tuple(box["xyxy"]), label=box["label"]) for box in annotation.boxes]


def _held_by(lease: Lease, *, by: User) -> HeldBy:
    is_me = lease.holder_id == by.pk
    return HeldBy(name=_name_of(lease.holder), is_me=is_me, until=lease.expires_at)


def _decided(verdict: Verdict, *, by: User) -> Decided:
    return Decided(
        id=verdict.pk,
        outcome=verdict.get_outcome_display(),
        by=_name_of(verdict.by),
        is_mine=verdict.by_id == by.pk,
        at=verdict.created_at,
        boxes=boxes_of(verdict.annotation) if verdict.annotation else [],
    )


def _name_of(user: User | None) -> str:
    return (user.get_full_name() or user.get_username()) if user else "somebody who left"
