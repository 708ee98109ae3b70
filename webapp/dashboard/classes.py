"""Which classes a rule about a camera may name, and which events may be narrowed by."""

from datetime import datetime, timedelta
from typing import Final

from webapp.accounts.models import User
from webapp.dashboard.counts import seen_since
from webapp.fleet.models import Bundle, Camera

_SEEN: Final = timedelta(days=7)
_MAX_BUNDLES: Final = 20
_MAX_CLASSES: Final = 1000


def classes_of(camera: Camera, *, at: datetime) -> list[str]:
    """Return names of classes: seen here of late, most first; then those of known bundles."""
    newest = Bundle.objects.filter(organization=camera.organization_id)[:_MAX_BUNDLES]
    bundles = {bundle.pk: bundle for bundle in newest}
    seen = [name for name, _ in seen_since([camera], bundles, since=at - _SEEN).get(camera.pk, ())]
    could = [str(label) for bundle in bundles.values() for label in bundle.labels]
    return list(dict.fromkeys([*seen, *could]))[:_MAX_CLASSES]


def known_classes(actor: User) -> list[str]:
    """Return the names of all classes that the actor's newest bundles know, in order."""
    bundles = Bundle.objects.for_actor(actor).values_list("labels", flat=True)[:_MAX_BUNDLES]
    return sorted({str(label) for labels in bundles for label in labels})[:_MAX_CLASSES]
