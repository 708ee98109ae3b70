"""Writes to samples, and asking for exports."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

import structlog
from django.db import transaction

from processing.wire.messages import Disagreement, SampleOffered
from webapp.accounts.models import Organization, Role, User
from webapp.accounts.queries import organizations_where
from webapp.common.changes import record_change
from webapp.datasets.models import Label, Sample
from webapp.events.models import Event
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.jobs.actions import enqueue_job
from webapp.jobs.models import Job
from webapp.media.actions import drop_unused, put_blob
from webapp.media.kinds import is_jpeg
from webapp.media.models import Blob

CHECK_SAMPLE: Final = "check_sample"
"""Done above, in `webapp.review.tasks`: what is found good becomes work for labelers."""
CONSIDER_SAMPLES: Final = "consider_samples"
"""As above, of samples of which something new is known."""
EXPORT_SET: Final = "export_set"
IMPORT_SET: Final = "import_set"
Format: TypeAlias = Literal["coco", "yolo", "yolo_seg", "voc", "datumaro"]
FORMATS: Final[Mapping[Format, str]] = {
    "coco": "COCO",
    "yolo": "YOLO",
    "yolo_seg": "YOLO, outlines",
    "voc": "Pascal VOC",
    "datumaro": "Datumaro",
}
"""Of exports, with what people call them."""
DEFAULT_FORMAT: Final[Format] = "coco"
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
    if not is_jpeg(offered.jpeg):
        return None
    kept = Sample.objects.filter(agent=agent, epoch=epoch, seq=seq).first()
    if kept is not None:
        return kept
    organization = agent.organization
    why = _why_kept(offered)
    sample = Sample.objects.create(
        organization=organization,
        agent=agent,
        camera=camera,
        bundle=bundle,
        epoch=epoch,
        seq=seq,
        captured_at=offered.captured_at,
        received_at=at,
        reason=why.reason,
        score=why.score,
        n_compared=why.n_compared,
        embedding=offered.embedding or None,
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


@dataclass(frozen=True, slots=True)
class _Why:
    """Why a sample was kept, as its row says it."""

    reason: str
    score: float
    n_compared: int | None = None


def _why_kept(offered: SampleOffered) -> _Why:
    """Return the reason; a random sample is random whatever the cloud says of it."""
    differs = offered.disagreement
    if differs is None or offered.reason == "random":
        return _Why(offered.reason, offered.score)
    return _Why(Sample.Reason.CLOUD, differs.n_alone / differs.n_things, differs.n_things)


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture that a person looked at, and what a bundle said of it."""

    picture: Blob
    captured_at: datetime
    width: int
    height: int
    bundle: Bundle
    predictions: bytes
    """Packed."""
    score: float = 0.0
    event: Event | None = None


def keep_shown(
    shown: Shown, *, camera: Camera, reason: Sample.Reason, note: str, at: datetime
) -> Sample:
    """Keep a picture for learning, and have it checked: a person wants it looked at."""
    sample = Sample.objects.create(
        organization_id=camera.organization_id,
        agent_id=camera.agent_id,
        camera=camera,
        bundle=shown.bundle,
        event=shown.event,
        note=note,
        captured_at=shown.captured_at,
        received_at=at,
        reason=reason,
        score=shown.score,
        width=shown.width,
        height=shown.height,
        picture=shown.picture,
        predictions=shown.predictions,
    )
    enqueue_job(
        kind=CHECK_SAMPLE,
        arguments={"sample": str(sample.id)},
        organization=sample.organization,
        by=None,
        at=at,
    )
    return sample


def accept_picture(
    sample: Sample, *, picture: Blob, thumbnail: Blob, fingerprint: int, appearance: bytes
) -> None:
    """The picture is a picture: from now on people see it, in its checked form.

    What it looks like is as `processing.vision.looks` has it.
    """
    as_sent = sample.picture
    sample.picture = picture
    sample.thumbnail = thumbnail
    sample.fingerprint = fingerprint
    sample.appearance = appearance
    sample.state = Sample.State.READY
    sample.save(update_fields=["picture", "thumbnail", "fingerprint", "appearance", "state"])
    if as_sent != picture:
        drop_unused([as_sent.pk])


def record_dissent(
    differing: Mapping[UUID, Disagreement], *, organization: Organization, at: datetime
) -> None:
    """Write down where another bundle saw other things in samples, and have them considered.

    Why they were kept stays as it is: the random slice stays one.
    """
    if not differing:
        return
    for sample_id, differs in differing.items():
        Sample.objects.filter(pk=sample_id, organization=organization).update(
            n_shadowed=differs.n_things, n_shadowed_alone=differs.n_alone
        )
    enqueue_job(
        kind=CONSIDER_SAMPLES,
        arguments={"samples": [str(sample_id) for sample_id in differing]},
        organization=organization,
        by=None,
        at=at,
    )


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
        title=f"A picture of {sample.taken_by} could not be read",
        detail=reason[:2000],
        occurred_at=sample.captured_at,
        received_at=at,
    )
    record_change(sample.organization_id, "events", at=at)
    log.warning("sample.broken", sample_id=str(sample.id), reason=reason)


@transaction.atomic
def number_labels(organization: Organization, *, used: Collection[str] = ()) -> list[str]:
    """Return every label of the organization, each at the place that is its number for good.

    What has no number yet gets the next: bundles' labels by the age of the bundle, so that with one
    bundle a label's number is its index in it; then the `used` ones by their names.
    """
    Organization.objects.select_for_update().get(pk=organization.pk)  # one at a time counts on
    known = list(Label.objects.filter(organization=organization).values_list("name", flat=True))
    bundles = Bundle.objects.filter(organization=organization).order_by("first_seen_at", "id")
    names = dict.fromkeys(known)
    for labels in bundles.values_list("labels", flat=True):
        names.update(dict.fromkeys(labels))
    names.update(dict.fromkeys(sorted(used)))
    Label.objects.bulk_create(
        Label(organization=organization, name=name, number=number)
        for number, name in enumerate(names)
        if number >= len(known)
    )
    return list(names)


@transaction.atomic
def request_export(
    *,
    organization: Organization,
    camera_ids: Sequence[UUID],
    by: User,
    at: datetime,
    format: Format = DEFAULT_FORMAT,  # noqa: A002 - the word that people and files use
) -> Job:
    """Have the annotated samples (of these cameras, or all) written for other tools.

    Known answers are among them when an admin asks. Raise `TooManyExports`.
    """
    unfinished = Job.objects.filter(
        organization=organization,
        kind=EXPORT_SET,
        state__in=(Job.State.WAITING, Job.State.RUNNING),
    )
    if unfinished.count() >= MAX_UNFINISHED_EXPORTS:
        raise TooManyExports
    return enqueue_job(
        kind=EXPORT_SET,
        title=f"{FORMATS[format]} export",
        arguments={
            "format": format,
            "cameras": [str(camera_id) for camera_id in camera_ids],
            "has_known_answers": organizations_where(by, Role.ADMIN)
            .filter(pk=organization.pk)
            .exists(),
        },
        organization=organization,
        by=by,
        at=at,
    )
