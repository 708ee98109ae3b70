"""Counts per camera, class, zone and bucket of time, read from the rollups alone."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import add
from typing import Any, Final
from uuid import UUID

from django.db.models import Max, QuerySet, Sum
from django.db.models.functions import Trunc

from webapp.fleet.models import Bundle, Camera
from webapp.results.rollups import Stretch, stretches

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
class ZoneCount:
    camera: UUID
    zone: UUID
    bucket_at: datetime
    label: str
    n_tracks: int


@dataclass(frozen=True, slots=True)
class Frames:
    camera: UUID
    bucket_at: datetime
    n_results: int


@dataclass(frozen=True, slots=True)
class Counts:
    counts: list[Count]
    frames: list[Frames]


@dataclass(frozen=True, slots=True)
class ZoneCounts:
    counts: list[ZoneCount]
    frames: list[Frames]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is counted: what these cameras saw in [start, end), in buckets."""

    cameras: QuerySet[Camera]
    bucket: str
    start: datetime
    end: datetime
    label: str | None = None
    """Only this class."""

    def stretches(self) -> list[Stretch]:
        return stretches(BUCKETS[self.bucket], self.start, self.end)


def default_range(
    start: object, end: object, bucket: str, *, at: datetime
) -> tuple[datetime, datetime]:
    """Return the stretch that is meant: until now, and 60 buckets long, unless said otherwise.

    Raise `RangeTooLong`, also for one that would begin before all time.
    """
    until = end if isinstance(end, datetime) else at
    try:
        since = start if isinstance(start, datetime) else until - 60 * BUCKETS[bucket]
    except OverflowError as error:
        raise RangeTooLong("Nothing was seen so long ago: say from when on.") from error
    if (until - since) / BUCKETS[bucket] > MAX_BUCKETS:
        raise RangeTooLong(f"At most {MAX_BUCKETS} buckets at once: ask for less, or larger ones.")
    return since, until


def counts_of(asked: Asked) -> Counts:
    """Return what was seen, oldest first; raise `RangeTooLong`."""
    parts = [
        stretch.rollups.of_labels.objects.filter(camera__in=asked.cameras, **stretch.within)
        .annotate(bucket_at=Trunc(stretch.rollups.begins_at, asked.bucket))
        .values_list("bundle_id", "label", "camera_id", "bucket_at")
        .annotate(Sum("n_tracks"), Sum("n_detections"), Max("peak"))
        .order_by("bucket_at", "camera_id", "label")
        for stretch in asked.stretches()
    ]
    rows = _rows(parts, add, add, max)
    return Counts(
        counts=[
            Count(camera_id, bucket_at, label, *figures)
            for label, camera_id, bucket_at, *figures in _named(rows, asked.label)
        ],
        frames=_frames(asked),
    )


def zone_counts_of(asked: Asked, *, zone_id: UUID | None = None) -> ZoneCounts:
    """Return what came into zones, or into one, oldest first; raise `RangeTooLong`."""
    only = {} if zone_id is None else {"zone_id": zone_id}
    parts = [
        stretch.rollups.of_zones.objects.filter(camera__in=asked.cameras, **only, **stretch.within)
        .annotate(bucket_at=Trunc(stretch.rollups.begins_at, asked.bucket))
        .values_list("bundle_id", "label", "camera_id", "zone_id", "bucket_at")
        .annotate(Sum("n_tracks"))
        .order_by("bucket_at", "camera_id", "zone_id", "label")
        for stretch in asked.stretches()
    ]
    rows = _rows(parts, add)
    return ZoneCounts(
        counts=[
            ZoneCount(camera_id, zone, bucket_at, label, n_tracks)
            for label, camera_id, zone, bucket_at, n_tracks in _named(rows, asked.label)
        ],
        frames=_frames(asked),
    )


def _frames(asked: Asked) -> list[Frames]:
    parts = [
        stretch.rollups.of_cameras.objects.filter(camera__in=asked.cameras, **stretch.within)
        .annotate(bucket_at=Trunc(stretch.rollups.begins_at, asked.bucket))
        .values_list("camera_id", "bucket_at")
        .annotate(Sum("n_results"))
        .order_by("bucket_at", "camera_id")
        for stretch in asked.stretches()
    ]
    return [Frames(*row) for row in _rows(parts, add)]


def _rows(
    parts: Iterable[QuerySet[Any, tuple[Any, ...]]], *together: Callable[[int, int], int]
) -> list[tuple[Any, ...]]:
    """Return the rows of one stretch after the other; raise `RangeTooLong`.

    They end in figures. A bucket on the border of two stretches has them of both, put together.
    """
    rows: dict[tuple[Any, ...], tuple[int, ...]] = {}
    for part in parts:
        found = part[: MAX_ROWS + 1]
        for row in found:
            place, figures = row[: -len(together)], row[-len(together) :]
            if (others := rows.get(place)) is not None:
                pairs = zip(together, others, figures, strict=True)
                figures = tuple(both(one, other) for both, one, other in pairs)
            rows[place] = figures
        if max(len(found), len(rows)) > MAX_ROWS:
            raise RangeTooLong("That is too much at once: ask for one camera, or a shorter time.")
    return [place + figures for place, figures in rows.items()]


def _named(rows: list[tuple[Any, ...]], wanted: str | None) -> Iterable[tuple[Any, ...]]:
    """Yield rows with the class's name in place of their first two: its bundle and number."""
    bundles = Bundle.objects.in_bulk({bundle_id for bundle_id, *_ in rows})
    labels = {key: dict(enumerate(bundle.labels)) for key, bundle in bundles.items()}
    for bundle_id, label, *rest in rows:
        name = labels[bundle_id].get(label, f"class {label}")
        if wanted in {None, name}:
            yield (name, *rest)
