"""Writes to samples, and asking for exports."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction

from processing.wire.messages import SampleOffered
from webapp.accounts.models import Organization, User
from webapp.common.changes import record_change
from webapp.datasets.models import Sample
from webapp.events.models import Event
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.jobs.actions import enqueue_job
from webapp.jobs.models import Job
from webapp.media.actions import drop_blob, put_blob
from webapp.media.models import Blob

CHECK_SAMPLE: Final = "check_sample"
"""Done above, in `webapp.review.tasks`: what is found good becomes work for labelers."""
EXPORT_COCO: Final = "export_coco"
MAX_UNFINISHED_EXPORTS: Final = 3

log = structlog.get_logger(__name__)


class TooManyExports(Exception):
    """Some exports of the organization are not done yet: wait for them."""


@transaction.atomic
def keep_sample(  # noqa: PLR0913 - an entry of the outbox has as many parts
    *,
    agent: Agent,
    camera: Camera,
    bundle: Bundle,
    epoch: int,
    seq: int,
    offered: SampleOffered,
    at: datetime,
) -> Sample | None:
    """Keep a frame for learning and have it checked; None when it cannot be a picture.

    The same entry again returns the same sample. Nothing is decoded here: a worker does that.
    """
    if not _looks_like_jpeg(offered.jpeg):
        return None
    kept = Sample.objects.filter(agent=agent, epoch=epoch, seq=seq).first()
    if kept is not None:
        return kept
    organization = agent.organization
    sample = Sample.objects.create(
        organization=organization,
        agent=agent,
        camera=camera,
        bundle=bundle,
        epoch=epoch,
        seq=seq,
        captured_at=offered.captured_at,
        received_at=at,
        reason=offered.reason,
        score=offered.score,
        width=offered.width,
        height=offered.height,
        picture=put_blob(offered.jpeg, content_type="image/jpeg", organization=organization, at=at),
        predictions=offered.detections,
    )
    enqueue_job(
        kind=CHECK_SAMPLE,
        arguments={"sample": str(sample.id)},
        organization=organization,
        by=None,
        at=at,
    )
    return sample


def accept_picture(sample: Sample, *, picture: Blob, thumbnail: Blob) -> None:
    """The picture is a picture: from now on people see it, in its checked form."""
    as_sent = sample.picture
    sample.picture = picture
    sample.thumbnail = thumbnail
    sample.state = Sample.State.READY
    sample.save(update_fields=["picture", "thumbnail", "state"])
    if as_sent != picture and not Sample.objects.filter(picture=as_sent).exists():
        drop_blob(as_sent)


def refuse_picture(sample: Sample, *, reason: str, at: datetime) -> None:
    """The picture is none: nobody sees it, and a person is told."""
    sample.state = Sample.State.BROKEN
    sample.save(update_fields=["state"])
    Event.objects.create(
        organization=sample.organization,
        agent=sample.agent,
        camera=sample.camera,
        kind="sample.broken",
        severity=Event.Severity.WARNING,
        title=f"A picture of {sample.camera} could not be read",
        detail=reason[:2000],
        occurred_at=sample.captured_at,
        received_at=at,
    )
    record_change(sample.organization_id, "events", at=at)
    log.warning("sample.broken", sample_id=str(sample.id), reason=reason)


@transaction.atomic
def request_export(
    *, organization: Organization, camera_ids: Sequence[UUID], by: User, at: datetime
) -> Job:
    """Have the annotated samples (of these cameras, or all) written as COCO JSON.

    Raise `TooManyExports`.
    """
    unfinished = Job.objects.filter(
        organization=organization,
        kind=EXPORT_COCO,
        state__in=(Job.State.WAITING, Job.State.RUNNING),
    )
    if unfinished.count() >= MAX_UNFINISHED_EXPORTS:
        raise TooManyExports
    return enqueue_job(
        kind=EXPORT_COCO,
        arguments={"cameras": [str(camera_id) for camera_id in camera_ids]},
        organization=organization,
        by=by,
        at=at,
    )


def _looks_like_jpeg(data: bytes) -> bool:
    return data.startswith(b"\xff\xd8\xff") and data.rstrip(b"\0").endswith(b"\xff\xd9")
