"""Events that were none: the picture that fooled the bundle becomes work for labelers."""

from datetime import datetime
from typing import Literal, TypeAlias

import structlog
from django.db import transaction

from webapp.accounts.models import User
from webapp.datasets.models import Sample
from webapp.events.actions import set_false_alarm, unset_false_alarm
from webapp.events.models import Event
from webapp.media.actions import drop_unused
from webapp.review.asking import ask_about_event, name_of
from webapp.review.models import ReviewItem
from webapp.review.picking import judge_anew

Outcome: TypeAlias = Literal["queued", "no_picture", "known"]
"""The picture goes to labelers; there is none; it was marked before."""

log = structlog.get_logger(__name__)


class NoCamera(Exception):
    """Only what a camera has seen can be a false alarm."""


@transaction.atomic
def mark_false_alarm(event: Event, *, by: User, at: datetime) -> Outcome:
    """Say that an event was none, and ask labelers what is in its picture; raise `NoCamera`."""
    if event.camera is None:
        raise NoCamera("Only what a camera has seen can be a false alarm.")
    if not set_false_alarm(event, by=by, at=at):
        return "known"
    note = f"Marked as a false alarm by {name_of(by)}: {event.title}"
    sample = ask_about_event(
        event, event.camera, reason=Sample.Reason.FALSE_ALARM, note=note, at=at
    )
    log.info("event.false_alarm", event_id=str(event.pk), by=str(by.pk), has_sample=bool(sample))
    return "queued" if sample else "no_picture"


@transaction.atomic
def unmark_false_alarm(event: Event, *, by: User, at: datetime) -> bool:
    """Say that an event was one after all; its picture leaves the queue if nobody began with it."""
    if not unset_false_alarm(event, by=by, at=at):
        return False
    mine = Sample.objects.filter(event=event, reason=Sample.Reason.FALSE_ALARM)
    untouched = mine.filter(review_item__isnull=True) | mine.filter(
        review_item__state=ReviewItem.State.OPEN,
        review_item__verdicts=None,
        review_item__leases=None,
    )
    samples = list(untouched)
    blobs = {sample.picture_id for sample in samples} | {
        sample.thumbnail_id for sample in samples if sample.thumbnail_id is not None
    }
    Sample.objects.filter(pk__in=[sample.pk for sample in samples]).delete()
    drop_unused(blobs)
    _release_stand_ins(event, at=at)
    return True


def _release_stand_ins(event: Event, *, at: datetime) -> None:
    """Let samples that stood for an event without a picture be again what they were before."""
    for sample in Sample.objects.filter(event=event).exclude(reason=Sample.Reason.FALSE_ALARM):
        sample.note, sample.event = "", None
        sample.save(update_fields=["note", "event"])
        if item := ReviewItem.objects.filter(sample=sample).first():
            judge_anew(item, at=at)
