"""Reads for labelers' pages: how the queue stands, one item in full.

Of an item that is still open a labeler sees no other labeler's work; and an item with a known
answer, which it is asked about once more, looks as if it were open.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from processing.wire.packed import count_labels
from webapp.accounts.models import Role, User
from webapp.datasets.models import Annotation, Sample
from webapp.datasets.queries import labels_of
from webapp.review.agreement import Work
from webapp.review.boxes import Box, PredictedBox, predicted_boxes
from webapp.review.findings import Findings
from webapp.review.models import Check, Lease, ReviewItem, ReviewQueue, Team, Verdict
from webapp.review.offers import deciding, gold_asked_of, has_room, meant_for

N_KEYED_LABELS = 9
"""Classes that have a number key."""

_N_LATELY = 100
_N_RECENT = 12


@dataclass(frozen=True)
class OwnStatus:
    """How the work stands, for one labeler at work: what changes with every picture."""

    n_open: int
    """Items to be decided, whoever holds them, but for those that this labeler has decided."""
    n_mine_today: int
    """Decided since midnight UTC by this labeler."""


@dataclass(frozen=True)
class QueueStatus(OwnStatus):
    """How the work stands, with what all others do."""

    n_leased: int
    """Of the open ones, in somebody's hands right now."""
    n_done_today: int
    """Decided since midnight UTC, by everybody."""

    @property
    def percent_done(self) -> int:
        """Return how much of today's work is done, 0..100."""
        return round(100 * self.n_done_today / (self.n_done_today + self.n_open or 1))


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
    classes: Sequence[str]
    findings: Findings


@dataclass(frozen=True)
class SentBack:
    """Why a checker sent an item back to its labeler."""

    by: str
    at: datetime
    reasons: Sequence[str]
    """In words."""
    comment: str


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
    """What to begin with: the truth, else what this labeler last saved, else the predictions."""
    classes: Sequence[str]
    """Of the picture as a whole, to begin with."""
    labels: Sequence[str]
    frequent_labels: Sequence[str]
    """At most nine, the commonest on this camera first: the number keys."""
    due_at: datetime | None
    held_by: HeldBy | None
    sent_back: SentBack | None
    decided: Decided | None


def labelers_queues(actor: User) -> QuerySet[ReviewQueue]:
    """Return the queues that `actor` may label, oldest first."""
    teams = Team.objects.filter(members=actor.pk)
    queues = ReviewQueue.objects.for_actor(actor, Role.LABELER)
    return queues.filter(Q(labelers=None) | Q(labelers__in=teams)).order_by("id")


def checkers_queues(actor: User) -> QuerySet[ReviewQueue]:
    """Return the queues whose work `actor` may check: an admin's, and those of their teams."""
    teams = Team.objects.filter(members=actor.pk)
    queues = ReviewQueue.objects.for_actor(actor, Role.LABELER)
    admins = ReviewQueue.objects.for_actor(actor, Role.ADMIN).values("pk")
    return queues.filter(Q(pk__in=admins) | Q(checkers__in=teams)).order_by("id")


def queue_status(queues: Collection[ReviewQueue], *, by: User, at: datetime) -> QueueStatus:
    """Return how the work in `queues` stands."""
    items = open_items(queues, by=by)
    held = Lease.objects.filter(item__in=items, expires_at__gt=at, is_prepared=False)
    decided = _decided_today(queues, at=at)
    return QueueStatus(
        n_open=items.count(),
        n_leased=held.values("item").distinct().count(),
        n_done_today=decided.count(),
        n_mine_today=decided.filter(by=by).count(),
    )


def own_status(queues: Collection[ReviewQueue], *, by: User, at: datetime) -> OwnStatus:
    """Return how the work in `queues` stands, as far as the editor says it after each picture."""
    return OwnStatus(
        n_open=open_items(queues, by=by).count(),
        n_mine_today=_decided_today(queues, at=at).filter(by=by).count(),
    )


def _decided_today(queues: Collection[ReviewQueue], *, at: datetime) -> QuerySet[Verdict]:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    decided = Verdict.objects.filter(
        item__queue__in=queues, created_at__gte=midnight, undone_at=None
    )
    return decided.exclude(outcome=Verdict.Outcome.PASSED)


def open_items(
    queues: Collection[ReviewQueue] | QuerySet[ReviewQueue], *, by: User
) -> QuerySet[ReviewItem]:
    """Return the open items of `queues` that `by` may decide, and has not.

    What was taken back from them as a set is for others.
    """
    theirs = Verdict.objects.filter(
        deciding() | Q(undone_as=Verdict.Undone.REVERTED), by=by, item=OuterRef("pk")
    )
    return ReviewItem.objects.filter(
        meant_for(by), ~Exists(theirs), queue__in=queues, state=ReviewItem.State.OPEN
    )


def recent_verdicts(queues: Collection[ReviewQueue], *, by: User) -> list[Verdict]:
    """Return what `by` decided last, newest first, without what was taken back."""
    return list(
        Verdict.objects.filter(item__queue__in=queues, by=by, undone_at=None)
        .select_related("item__sample__camera", "item__sample__thumbnail", "annotation")
        .order_by("-created_at")[:_N_RECENT]
    )


def standing_verdict(item: ReviewItem, *, seen_by: User) -> Verdict | None:
    """Return what `seen_by` may know of that decided `item`: their own verdict, else the first.

    While it is open, or seems to be, there are no others'.
    """
    verdicts = item.verdicts.filter(undone_at=None).exclude(outcome=Verdict.Outcome.PASSED)
    verdicts = verdicts.select_related("by", "annotation").order_by("created_at", "id")
    own = verdicts.filter(by=seen_by).first()
    is_open = item.state == ReviewItem.State.OPEN or gold_asked_of(item, by=seen_by)
    return own if own or is_open else verdicts.filter(is_gold=False).first()


def _lease_seen(item: ReviewItem, *, by: User, at: datetime) -> Lease | None:
    """Return `by`'s lease of `item`, else one that keeps them from it."""
    live = item.leases.filter(expires_at__gt=at).select_related("holder").order_by("id")
    leases = list(live)
    own = next((lease for lease in leases if lease.holder_id == by.pk), None)
    if own is None and leases and not has_room(item, leases, by=by, at=at):
        return leases[0]
    return own


def _sent_back(item: ReviewItem, *, to: User) -> SentBack | None:
    if not item.is_returned:
        return None
    checks = Check.objects.filter(verdict__item=item, verdict__by=to).select_related("by")
    check = checks.first()
    if check is None:
        return None
    return SentBack(
        by=_name_of(check.by),
        at=check.created_at,
        reasons=[Check.Reason(reason).label for reason in check.reasons],
        comment=check.comment,
    )


def item_for_editor(item: ReviewItem, *, by: User, at: datetime) -> ItemForEditor:
    """Return all that the editor shows of `item` to `by`."""
    sample = item.sample
    predicted = predictions_of(sample)
    doubtful = doubtful_prediction(sample, predicted)
    is_untouched = item.state == ReviewItem.State.OPEN and item.n_decided == 0
    decided = None if is_untouched else standing_verdict(item, seen_by=by)
    lease = _lease_seen(item, by=by, at=at)
    begin = _to_begin_with(item, predicted, by=by)
    labels = labels_of(sample)
    return ItemForEditor(
        id=item.pk,
        url=reverse("review_item", args=[item.pk]),
        revision=item.revision,
        state=ReviewItem.State.OPEN if gold_asked_of(item, by=by) else item.state,
        picture_url=reverse("picture", args=[sample.pk]),
        width=sample.width,
        height=sample.height,
        camera=sample.taken_by,
        captured_at=sample.captured_at,
        bundle=sample.bundle.digest if sample.bundle else "",
        reason=item.why or sample.get_reason_display(),
        predictions=predicted,
        doubtful=doubtful,
        boxes=begin.boxes,
        classes=sorted(begin.classes),
        labels=labels,
        frequent_labels=frequent_labels(sample, labels),
        due_at=item.due_at,
        held_by=None if lease is None else _held_by(lease, by=by),
        sent_back=_sent_back(item, to=by),
        decided=None if decided is None else _decided(decided, by=by),
    )


def predictions_of(sample: Sample) -> list[PredictedBox]:
    """Return what the bundle saw in the sample, as far as it can be edited."""
    return list(
        predicted_boxes(
            bytes(sample.predictions),
            labels=sample.bundle.labels if sample.bundle else (),
            width=sample.width,
            height=sample.height,
        )
    )


def frequent_labels(sample: Sample, labels: Sequence[str]) -> list[str]:
    """Return those of the sample's classes that its camera kept most of lately, then the others."""
    lately = Sample.objects.filter(camera=sample.camera_id, bundle=sample.bundle_id)
    counts: Counter[int] = Counter()
    for packed in lately.values_list("predictions", flat=True)[:_N_LATELY]:
        counts.update(count_labels(bytes(packed)))
    common = [labels[label] for label, _ in counts.most_common() if label < len(labels)]
    return list(dict.fromkeys([*common, *labels]))[:N_KEYED_LABELS]


def doubtful_prediction(sample: Sample, predicted: Sequence[PredictedBox]) -> int | None:
    """Return the index of the prediction that the sample was kept for, if one was."""
    if sample.reason == Sample.Reason.RANDOM or not predicted:
        return None
    return min(range(len(predicted)), key=lambda index: abs(predicted[index].score - sample.score))


def _to_begin_with(item: ReviewItem, predicted: Sequence[PredictedBox], *, by: User) -> Work:
    saved = Annotation.objects.filter(sample=item.sample_id).order_by("-created_at", "-id")
    known = None
    if item.state != ReviewItem.State.OPEN and not gold_asked_of(item, by=by):
        known = saved.filter(is_current=True).first()
    known = known or saved.filter(author=by).first()
    if known is not None:
        return Work(boxes_of(known), frozenset(known.classes))
    return Work([Box(xyxy=box.xyxy, label=box.label) for box in predicted])


def boxes_of(annotation: Annotation) -> list[Box]:
    """Return an annotation's boxes, typed."""
    return [msgspec.convert(box, Box) for box in annotation.boxes]


def work_of(verdict: Verdict) -> Work:
    """Return what a labeler said of a picture."""
    if verdict.annotation is None:
        return Work(is_ambiguous=True)
    return Work(boxes_of(verdict.annotation), frozenset(verdict.annotation.classes))


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
        classes=verdict.annotation.classes if verdict.annotation else [],
        findings=msgspec.convert(verdict.findings, Findings),
    )


def _name_of(user: User | None) -> str:
    return (user.get_full_name() or user.get_username()) if user else "somebody who left"
