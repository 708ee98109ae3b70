"""Reads about samples and what is in them."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q, QuerySet

from webapp.accounts.models import Organization, Role, User
from webapp.accounts.queries import organizations_where
from webapp.datasets.models import Annotation, Label, Sample


def truths_open_to(actor: User) -> QuerySet[Annotation]:
    """Return what `actor` may know of what is in samples: known answers are admins' alone."""
    administered = Q(organization__in=organizations_where(actor, Role.ADMIN))
    return Annotation.objects.filter(administered | ~_is_known_answer(), is_current=True)


def is_export_open_to(actor: User) -> Q:
    """Return which export jobs `actor` may know of: with known answers in it, one is admins'."""
    administered = Q(organization__in=organizations_where(actor, Role.ADMIN))
    return administered | Q(arguments__has_known_answers=False)


def current_annotations(
    organization: Organization, *, camera_ids: Sequence[UUID] = (), has_known_answers: bool
) -> QuerySet[Annotation]:
    """Return the newest truth about each annotated sample, oldest sample first."""
    annotations = Annotation.objects.filter(
        organization=organization, is_current=True, sample__state=Sample.State.READY
    )
    if camera_ids:
        annotations = annotations.filter(sample__camera__in=camera_ids)
    if not has_known_answers:
        annotations = annotations.exclude(_is_known_answer())
    return annotations.select_related("sample__camera", "sample__picture").order_by("sample_id")


def labels_of(sample: Sample) -> list[str]:
    """Return the classes that a sample's things may have: its bundle's, then all with a number.

    A bundle's come first and in its order, because packed predictions count on it.
    """
    numbered = Label.objects.filter(organization_id=sample.organization_id)
    own = sample.bundle.labels if sample.bundle else []
    return list(dict.fromkeys([*own, *numbered.values_list("name", flat=True)]))


def _is_known_answer() -> Q:
    """Return which annotations labelers are asked for once more, without knowing."""
    gold = "sample__review_item__gold"
    return Q((f"{gold}__isnull", False), (f"{gold}__retired_at", None))
