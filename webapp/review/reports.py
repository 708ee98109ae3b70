"""“This is wrong”: one click on an event, a result or a live picture, and labelers look at it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import structlog
from django.db import transaction

from webapp.accounts.models import User
from webapp.datasets.actions import Shown, keep_shown
from webapp.datasets.models import Sample
from webapp.events.models import Event
from webapp.fleet.models import Camera
from webapp.media.actions import put_blob
from webapp.media.kinds import is_jpeg
from webapp.results.models import Result
from webapp.review.asking import (
    MAX_NOTE,
    ask_about_event,
    ask_about_nearest,
    name_of,
    what_was_seen,
)

MOST_AN_HOUR: Final = 60
"""Of pictures that people send in of one camera."""

Outcome: TypeAlias = Literal["queued", "no_picture"]
"""The picture goes to labelers; there is none of it."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LivePicture:
    """What a browser shows of a camera."""

    jpeg: bytes
    width: int
    height: int
    captured_at: datetime


class CannotReport(Exception):
    """There is nothing that labelers could look at, or too much; the text says why."""


@transaction.atomic
def report_event(event: Event, *, by: User, at: datetime) -> Outcome:
    """Have labelers look at an event's picture; raise `CannotReport` for one without a camera."""
    if event.camera is None:
        raise CannotReport("Only what a camera has seen can be looked at.")
    note = f"Reported as wrong by {name_of(by)}: {event.title}"
    sample = ask_about_event(event, event.camera, reason=Sample.Reason.REPORTED, note=note, at=at)
    return _told(sample, by=by)


@transaction.atomic
def report_result(result: Result, *, by: User, at: datetime) -> Outcome:
    """Have labelers look at the picture nearest to a result."""
    when = result.captured_at
    note = f"Reported as wrong by {name_of(by)}: the result of {when:%d %b %H:%M:%S} UTC"
    return _told(ask_about_nearest(result.camera, when, when, note=note, at=at), by=by)


@transaction.atomic
def report_picture(camera: Camera, picture: LivePicture, *, by: User, at: datetime) -> Outcome:
    """Have labelers look at what somebody sees of a camera just now; raise `CannotReport`.

    The picture is what the browser shows, so what must not be seen is covered in it.
    """
    if not is_jpeg(picture.jpeg):
        raise CannotReport("The picture is no JPEG.")
    lately = Sample.objects.filter(
        camera=camera, reason=Sample.Reason.REPORTED, received_at__gt=at - timedelta(hours=1)
    )
    if lately.count() >= MOST_AN_HOUR:
        raise CannotReport(f"{MOST_AN_HOUR} pictures of this camera were reported in an hour.")
    saw = what_was_seen(camera, picture.captured_at)
    if saw is None:
        raise CannotReport("No model has looked at this camera yet.")
    shown = Shown(
        picture=put_blob(
            picture.jpeg, content_type="image/jpeg", organization=camera.organization, at=at
        ),
        captured_at=picture.captured_at,
        width=picture.width,
        height=picture.height,
        bundle=saw.bundle,
        predictions=saw.predictions,
    )
    note = f"Reported as wrong by {name_of(by)}, who was watching"[:MAX_NOTE]
    sample = keep_shown(shown, camera=camera, reason=Sample.Reason.REPORTED, note=note, at=at)
    return _told(sample, by=by)


def _told(sample: Sample | None, *, by: User) -> Outcome:
    log.info("sample.reported", sample=str(sample.pk) if sample else None, by=str(by.pk))
    return "queued" if sample else "no_picture"
