"""How long samples are kept of which no labeler has said anything."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from webapp.common.keeping import keeps, rows_kept
from webapp.datasets.models import Annotation, Sample
from webapp.media.actions import drop_unused
from webapp.media.models import Blob
from webapp.review.models import Lease, ReviewItem, Verdict


def _old_samples(before: datetime) -> Iterator[QuerySet[Sample]]:
    """Yield samples that nobody judged, annotated or was looking at since."""
    of_it = {"item__sample": OuterRef("pk")}
    yield Sample.objects.filter(
        ~Exists(Verdict.objects.filter(**of_it)),
        ~Exists(Lease.objects.filter(**of_it, expires_at__gte=before)),
        ~Exists(Annotation.objects.filter(sample=OuterRef("pk"))),
        received_at__lt=before,
    )


def _forget_samples(samples: QuerySet[Any]) -> None:
    blobs = {blob for pair in samples.values_list("picture", "thumbnail") for blob in pair if blob}
    samples.delete()
    drop_unused(blobs)


def _n_file_bytes() -> int:
    pictures = Sample.objects.values("picture")
    small = Sample.objects.filter(thumbnail__isnull=False).values("thumbnail")
    used = Blob.objects.filter(Q(pk__in=pictures) | Q(pk__in=small))
    total = used.aggregate(n_bytes=Sum("size"))["n_bytes"]
    return int(total or 0)


keeps(
    rows_kept(
        "samples", "Samples that no labeler has judged", (Sample, ReviewItem),
        _old_samples, _n_file_bytes, delete=_forget_samples,
    )
)  # fmt: skip
