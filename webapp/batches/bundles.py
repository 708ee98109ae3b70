"""Which bundles the workers have, as they say themselves: the web process opens none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from webapp.batches.models import WorkerBundle
from webapp.batches.queries import FORGOTTEN


@dataclass(frozen=True, slots=True)
class FoundBundle:
    """A bundle in the workers' folder."""

    digest: str
    """Hex."""
    name: str
    version: str
    labels: Sequence[str]


def declare_bundles(found: Iterable[FoundBundle], *, at: datetime) -> None:
    """Write down which bundles there are, and forget those that nobody has seen for a while."""
    for bundle in found:
        said = {
            "name": bundle.name,
            "version": bundle.version,
            "labels": list(bundle.labels),
            "seen_at": at,
        }
        WorkerBundle.objects.update_or_create(pk=bundle.digest, defaults=said)
    WorkerBundle.objects.filter(seen_at__lt=at - FORGOTTEN).delete()
