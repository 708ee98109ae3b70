"""Counts per camera, class and bucket of time, read from the rollups alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Max, QuerySet, Sum
from django.db.models.functions import Trunc

from webapp.fleet.models import Bundle, Camera
from webapp.results.models import CameraMinute, LabelMinute

BUCKETS: Final = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}
MAX_BUCKETS: Final = 1500
MAX_ROWS: Final = 50_000


class RangeTooLong(ValueError):
    """So much at once is not answered; the text says what to ask for instead."""


@dataclass(frozen=True, slots=True)
class Count:
    camera: UUID
    bucket_at: datetime
    label: str
    n_tracks: int
    n_detections: int
    peak: int


@dataclass(frozen=True, slots=True)
class Frames:
    camera: UUID
    bucket_at: datetime
    n_results: int


@dataclass(frozen=True, slots=True)
class Counts:
    counts: list[Count]
    frames: list[Frames]


def default_range(
    start: object, end: object, bucket: str, *, at: datetime
) -> tuple[datetime, datetime]:
    """Return the stretch that is meant: until now, and 60 buckets long, unless said otherwise."""
    until = end if isinstance(end, datetime) else at
    since = start if isinstance(start, datetime) else until - 60 * BUCKETS[bucket]
    if (until - since) / BUCKETS[bucket] > MAX_BUCKETS:
        raise RangeTooLong(f"At most {MAX_BUCKETS} buckets at once: ask for less, or larger ones.")
    return since, until


def counts_of(cameras: QuerySet[Camera], *, bucket: str, start: datetime, end: datetime) -> Counts:
    """Return what these cameras saw in [start, end), oldest first; raise `RangeTooLong`."""
    frames = (
        CameraMinute.objects.filter(camera__in=cameras, minute_at__gte=start, minute_at__lt=end)
        .annotate(bucket_at=Trunc("minute_at", bucket))
        .values_list("camera_id", "bucket_at")
        .annotate(Sum("n_results"))
        .order_by("bucket_at", "camera_id")
    )
    seen = (
        LabelMinute.objects.filter(camera__in=cameras, minute_at__gte=start, minute_at__lt=end)
        .annotate(bucket_at=Trunc("minute_at", bucket))
        .values_list("camera_id", "bucket_at", "bundle_id", "label")
        .annotate(Sum("n_tracks"), Sum("n_detections"), Max("peak"))
        .order_by("bucket_at", "camera_id", "label")
    )
    rows = list(seen[: MAX_ROWS + 1])
    if len(rows) > MAX_ROWS:
        raise RangeTooLong("That is too much at once: ask for one camera, or a shorter time.")
    labels = _labels({bundle_id for _, _, bundle_id, *_ in rows})
    return Counts(
        counts=[
            Count(camera_id, bucket_at, labels[bundle_id].get(label, f"class {label}"), *figures)
            for camera_id, bucket_at, bundle_id, label, *figures in rows
        ],
        frames=[Frames(*row) for row in frames[:MAX_ROWS]],
    )


def _labels(bundle_ids: set[UUID]) -> dict[UUID, dict[int, str]]:
    bundles = Bundle.objects.in_bulk(list(bundle_ids))
    return {key: dict(enumerate(bundle.labels)) for key, bundle in bundles.items()}
