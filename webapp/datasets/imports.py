"""Pictures from somebody else's set become samples, with what is said of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from django.db import transaction

from webapp.accounts.models import Organization, User
from webapp.datasets.actions import CHECK_SAMPLE
from webapp.datasets.models import Annotation, Sample
from webapp.jobs.actions import enqueue_job
from webapp.media.models import Blob

Outcome: TypeAlias = Literal["labelled", "asked", "known"]
"""It is labelled already; labelers are asked; it was imported before."""


@dataclass(frozen=True, slots=True)
class CheckedPicture:
    """A picture that decodes, in the store."""

    file_name: str
    picture: Blob
    thumbnail: Blob
    width: int
    height: int
    fingerprint: int
    appearance: bytes
    boxes: Sequence[dict[str, object]] | None
    """As annotations keep them; None where nobody has labelled it."""
    classes: Sequence[str]


@transaction.atomic
def add_picture(
    found: CheckedPicture, *, organization: Organization, by: User | None, at: datetime
) -> Outcome:
    """Make a picture a sample, once however often it is imported, and by how many at once.

    Its content is in the store once an organization, so who holds that row is alone with it.
    """
    Blob.objects.select_for_update(no_key=True).get(pk=found.picture.pk)
    imported = Sample.objects.filter(organization=organization, reason=Sample.Reason.IMPORTED)
    if imported.filter(picture=found.picture).exists():
        return "known"
    is_labelled = found.boxes is not None
    sample = Sample.objects.create(
        organization=organization,
        file_name=found.file_name,
        captured_at=at,
        received_at=at,
        reason=Sample.Reason.IMPORTED,
        score=0.0,
        width=found.width,
        height=found.height,
        picture=found.picture,
        thumbnail=found.thumbnail,
        predictions=b"",
        fingerprint=found.fingerprint,
        appearance=found.appearance,
        state=Sample.State.READY if is_labelled else Sample.State.RECEIVED,
    )
    if not is_labelled:
        enqueue_job(
            kind=CHECK_SAMPLE,
            arguments={"sample": str(sample.id)},
            organization=organization,
            by=None,
            at=at,
        )
        return "asked"
    Annotation.objects.create(
        organization=organization,
        sample=sample,
        author=by,
        created_at=at,
        boxes=list(found.boxes or ()),
        classes=list(found.classes),
    )
    return "labelled"
