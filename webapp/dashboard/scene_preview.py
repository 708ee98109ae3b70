"""What rules would have told of the last hour: asked for here, worked out by a worker."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from processing.wire.scene import Scene
from webapp.accounts.models import Role, User
from webapp.fleet.models import Camera
from webapp.fleet.wishes import plain
from webapp.jobs.actions import AlreadyFinished, cancel_job, enqueue_job
from webapp.jobs.models import Job

PREVIEW: Final = "dashboard.preview_scene"
LOOKED_BACK: Final = timedelta(hours=1)
MAX_RESULTS: Final = 20_000
"""Of the camera, the newest: what is looked at of the hour."""
MAX_EVENTS: Final = 400
"""Told one by one; all are counted."""
_MAX_UNFINISHED: Final = 20
_OPEN: Final = (Job.State.WAITING, Job.State.RUNNING)


class TooManyPreviews(Exception):
    """Others of the organization are waiting for so many already."""


@transaction.atomic
def ask_preview(camera: Camera, scene: Scene, *, by: User, at: datetime) -> Job:
    """Have a draft of a camera's scene judged; the person's earlier draft is called off.

    Raise `TooManyPreviews`.
    """
    unfinished = Job.objects.filter(
        organization=camera.organization_id, kind=PREVIEW, state__in=_OPEN
    )
    for earlier in unfinished.filter(arguments__camera=str(camera.pk), arguments__by=str(by.pk)):
        _call_off(earlier, at=at)
    if unfinished.filter(is_cancel_wanted=False).count() >= _MAX_UNFINISHED:
        raise TooManyPreviews
    return enqueue_job(
        kind=PREVIEW,
        arguments={"camera": str(camera.pk), "by": str(by.pk), "scene": plain(scene)},
        organization=camera.organization,
        by=None,  # nobody comes back for it: it is no row of anybody's list of jobs
        at=at,
    )


def previews_for(actor: User) -> QuerySet[Job]:
    """Return the previews that `actor` may look at."""
    return Job.objects.for_actor(actor, Role.OPERATOR).filter(kind=PREVIEW)


def _call_off(job: Job, *, at: datetime) -> None:
    try:
        cancel_job(job, at=at)
    except AlreadyFinished:
        return
