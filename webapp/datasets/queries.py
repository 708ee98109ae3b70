"""Reads about samples and what is in them."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import QuerySet

from webapp.accounts.models import Organization
from webapp.datasets.models import Annotation, Label, Sample


def current_annotations(
    organization: Organization, *, camera_ids: Sequence[UUID] = ()
) -> QuerySet[Annotation]:
    """Return the newest truth about each annotated sample, oldest sample first."""
    annotations = Annotation.objects.filter(
        organization=organization, is_current=True, sample__state=Sample.State.READY
    )
    if camera_ids:
        annotations = annotations.filter(sample__camera__in=camera_ids)
    return annotations.select_related("sample__camera", "sample__picture").order_by("sample_id")


def labels_of(sample: Sample) -> list[str]:
    """Return the classes that a sample's things may have: its bundle's, then all with a number.

    A bundle's come first and in its order, because packed predictions count on it.
    """
    numbered = Label.objects.filter(organization_id=sample.organization_id)
    own = sample.bundle.labels if sample.bundle else []
    return list(dict.fromkeys([*own, *numbered.values_list("name", flat=True)]))
