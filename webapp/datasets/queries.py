"""Reads about samples and what is in them."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import QuerySet

from webapp.accounts.models import Organization
from webapp.datasets.models import Annotation, Sample
from webapp.fleet.models import Bundle


def current_annotations(
    organization: Organization, *, camera_ids: Sequence[UUID] = ()
) -> QuerySet[Annotation]:
    """Return the newest truth about each annotated sample, oldest sample first."""
    annotations = Annotation.objects.filter(
        organization=organization, is_current=True, sample__state=Sample.State.READY
    )
    if camera_ids:
        annotations = annotations.filter(sample__camera__in=camera_ids)
    return annotations.select_related("sample").order_by("sample_id")


def label_names(organization: Organization, *, used: Collection[str] = ()) -> list[str]:
    """Return every label in a fixed order: bundles' by age, then what only people used.

    With one bundle a label's place is its index in it; a later bundle adds behind what was there.
    """
    bundles = Bundle.objects.filter(organization=organization).order_by("first_seen_at", "id")
    names: dict[str, None] = {}
    for labels in bundles.values_list("labels", flat=True):
        names.update(dict.fromkeys(labels))
    names.update(dict.fromkeys(sorted(used)))
    return list(names)
