"""A person wants labelers to look at a picture: which one, and what the bundle said of it."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from webapp.accounts.models import User
from webapp.datasets.actions import Shown, keep_shown
from webapp.datasets.models import Sample
from webapp.events.models import Event
from webapp.fleet.models import Bundle, Camera
from webapp.results.models import Result
from webapp.review.models import ReviewItem
from webapp.review.picking import judge_anew, open_item

SAME_FRAME: Final = timedelta(seconds=2)
"""A result this close to a picture tells what the bundle saw in it."""
NEAREST_SAMPLE: Final = timedelta(seconds=10)
"""Where there is no picture of an instant, a sample of its camera this close stands for it."""
MAX_NOTE: Final = 2000


class Saw(NamedTuple):
    """What a bundle said of a frame."""

    bundle: Bundle
    predictions: bytes


def ask_about_event(
    event: Event, camera: Camera, *, reason: Sample.Reason, note: str, at: datetime
) -> Sample | None:
    """Return the sample that labelers are to look at; None where there is no picture at all."""
    thumbnail = event.thumbnail
    if thumbnail is None:
        ended_at = event.ended_at or event.occurred_at
        sample = ask_about_nearest(camera, event.occurred_at, ended_at, note=note, at=at)
        if sample is not None:
            sample.event = event
            sample.save(update_fields=["event"])
        return sample
    kept = Sample.objects.filter(event=event, reason=reason).first()
    saw = what_was_seen(camera, thumbnail.captured_at)
    if kept is not None or saw is None:
        return kept
    shown = Shown(
        picture=thumbnail.blob,
        captured_at=thumbnail.captured_at,
        width=thumbnail.width,
        height=thumbnail.height,
        bundle=saw.bundle,
        predictions=saw.predictions,
        score=thumbnail.score,
        event=event,
    )
    return keep_shown(shown, camera=camera, reason=reason, note=note[:MAX_NOTE], at=at)


def ask_about_nearest(
    camera: Camera, begin: datetime, end: datetime, *, note: str, at: datetime
) -> Sample | None:
    """Have the sample looked at that is nearest to a stretch of time, if one is near."""
    decided = (ReviewItem.State.DONE, ReviewItem.State.AMBIGUOUS)
    near = (
        Sample.objects.filter(
            camera=camera,
            state=Sample.State.READY,
            captured_at__range=(begin - NEAREST_SAMPLE, end + NEAREST_SAMPLE),
        )
        .exclude(review_item__state__in=decided)
        .order_by("captured_at")[:100]
    )
    sample = min(near, key=lambda each: abs(each.captured_at - begin), default=None)
    if sample is not None:
        sample.note = note[:MAX_NOTE]
        sample.save(update_fields=["note"])
        judge_anew(open_item(sample=sample, at=at), at=at)
    return sample


def what_was_seen(camera: Camera, captured_at: datetime) -> Saw | None:
    """Return what was seen in the frame of that instant; nothing in it, where no result tells."""
    close = Result.objects.filter(
        camera=camera, captured_at__range=(captured_at - SAME_FRAME, captured_at + SAME_FRAME)
    ).values_list("captured_at", "bundle_id", "detections")
    after = close.filter(captured_at__gte=captured_at).order_by("captured_at").first()
    before = close.filter(captured_at__lt=captured_at).order_by("-captured_at").first()
    found = [row for row in (after, before) if row is not None]
    if found:
        _, bundle_id, packed = min(found, key=lambda row: abs(row[0] - captured_at))
        return Saw(Bundle.objects.get(pk=bundle_id), bytes(packed))
    bundle = Bundle.objects.filter(organization=camera.organization_id).first()
    return Saw(bundle, b"") if bundle else None


def name_of(user: User) -> str:
    """Return what a person is called in a note."""
    return user.get_full_name() or user.get_username()
