"""Objects of each class over time, for the chart: read from the rollups, never from raw rows."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import Max, Sum
from msgspec import Struct

from webapp.common.rows import any_of
from webapp.fleet.models import Bundle, Camera
from webapp.results.buckets import BucketBegin
from webapp.results.models import LabelMinute
from webapp.results.rollups import Stretch, stretches

Span = Literal["1h", "24h", "7d", "30d", "90d"]
Measure = Literal["seen", "peak"]

MAX_SERIES: Final = 8
"""As many colours as stay apart; rarer classes are counted in `n_hidden`."""

_MINUTE_S: Final = 60
_HOUR_S: Final = 60 * _MINUTE_S
_DAY_S: Final = 24 * _HOUR_S


_LENGTH_AND_STEP_S: Final[dict[Span, tuple[int, int]]] = {
    "1h": (_HOUR_S, _MINUTE_S),
    "24h": (_DAY_S, 10 * _MINUTE_S),
    "7d": (7 * _DAY_S, _HOUR_S),
    "30d": (30 * _DAY_S, 6 * _HOUR_S),
    "90d": (90 * _DAY_S, _DAY_S),
}


class Series(Struct, frozen=True):
    """One class; a value a bucket, None where the camera was not watched at all."""

    label: str
    total: int
    values: list[int | None]


class LabelCounts(Struct, frozen=True):
    """What the chart draws."""

    times: list[int]
    """Unix seconds at which each bucket begins."""
    step_s: int
    series: list[Series]
    """Most seen first."""
    n_hidden: int
    """Classes that were left out."""


def label_counts(
    camera: Camera, *, span: Span, measure: Measure, at: datetime, zone_id: UUID | None = None
) -> LabelCounts:
    """Return how many objects of each class began to be seen (or were there at once) a bucket.

    Of a zone it is how many came into it; how many were in it at once is not counted.
    """
    length_s, step_s = _LENGTH_AND_STEP_S[span]
    end = int(at.timestamp()) // step_s * step_s + step_s
    times = list(range(end - length_s, end, step_s))
    begins, ends = (datetime.fromtimestamp(second, UTC) for second in (times[0], end))
    parts = stretches(timedelta(seconds=step_s), begins, ends)
    watched = _watched(camera, parts, step_s)
    per_label = _per_label(camera, parts, step_s, measure, zone_id)
    totals = {name: _together(measure, buckets.values()) for name, buckets in per_label.items()}
    ranked = sorted(per_label, key=lambda name: (-totals[name], name))
    series = [
        Series(
            label=name,
            total=totals[name],
            values=[
                per_label[name].get(time, 0) if time in watched else per_label[name].get(time)
                for time in times
            ],
        )
        for name in ranked[:MAX_SERIES]
    ]
    return LabelCounts(times, step_s, series, n_hidden=max(len(ranked) - MAX_SERIES, 0))


def seen_since(
    cameras: Iterable[Camera], bundles: dict[UUID, Bundle], *, since: datetime
) -> dict[UUID, list[tuple[str, int]]]:
    """Return, per camera, how many objects of each class were seen since then, most first."""
    rows = LabelMinute.objects.filter(
        camera__in=any_of(camera.pk for camera in cameras),
        bundle__in=list(bundles),  # only those whose names are known here
        minute_at__gte=since,
        n_tracks__gt=0,
    ).values_list("camera_id", "bundle_id", "label", "n_tracks")
    totals: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for camera_id, bundle_id, label, n_tracks in rows.iterator():
        totals[camera_id][label_name(bundles[bundle_id], label)] += n_tracks
    return {
        camera_id: sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        for camera_id, counts in totals.items()
    }


def label_name(bundle: Bundle, label: int) -> str:
    """Return the class's name; a label that the bundle does not know keeps its number."""
    labels: list[str] = bundle.labels
    return labels[label] if label < len(labels) else f"class {label}"


def _per_label(
    camera: Camera, parts: list[Stretch], step_s: int, measure: Measure, zone_id: UUID | None
) -> dict[str, dict[int, int]]:
    """Return the figures by name and bucket: bundles that call it the same are one."""
    rows = [
        row
        for part in parts
        for row in _of_classes(part, zone_id)
        .filter(camera=camera, **part.within)
        .annotate(bucket=BucketBegin(part.rollups.begins_at, step_s=step_s))
        .values_list("bundle_id", "label", "bucket")
        .annotate(Sum("n_tracks") if measure == "seen" else Max("peak"))
        .order_by()
    ]
    bundles = Bundle.objects.in_bulk({bundle_id for bundle_id, *_ in rows})
    per_label: dict[str, dict[int, int]] = defaultdict(dict)
    for bundle_id, label, bucket, value in rows:
        if value:
            buckets = per_label[label_name(bundles[bundle_id], label)]
            buckets[bucket] = _together(measure, (buckets.get(bucket, 0), value))
    return dict(per_label)


def _of_classes(part: Stretch, zone_id: UUID | None) -> Any:
    """Return the rows of a zone or of the whole picture, as far as both have the same columns."""
    if zone_id is not None:
        return part.rollups.of_zones.objects.filter(zone_id=zone_id)
    return part.rollups.of_labels.objects.all()


def _watched(camera: Camera, parts: list[Stretch], step_s: int) -> set[int]:
    return {
        bucket
        for part in parts
        for bucket in part.rollups.of_cameras.objects.filter(
            camera=camera, n_results__gt=0, **part.within
        )
        .annotate(bucket=BucketBegin(part.rollups.begins_at, step_s=step_s))
        .values_list("bucket", flat=True)
        .distinct()
        .order_by()
    }


def _together(measure: Measure, figures: Iterable[int]) -> int:
    return sum(figures) if measure == "seen" else max(figures)
