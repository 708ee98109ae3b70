"""Objects of each class over time, for the chart: read from the rollups, never from raw rows."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, get_args
from uuid import UUID

from msgspec import Struct

from webapp.fleet.models import Bundle, Camera
from webapp.results.models import CameraMinute, LabelMinute

Span = Literal["1h", "24h", "7d"]
Measure = Literal["seen", "peak"]

SPANS: Final = get_args(Span)
MEASURES: Final = get_args(Measure)
MAX_SERIES: Final = 8
"""As many colours as stay apart; rarer classes are counted in `n_hidden`."""

_MINUTE_S: Final = 60
_LENGTH_AND_STEP: Final[dict[Span, tuple[timedelta, int]]] = {
    "1h": (timedelta(hours=1), _MINUTE_S),
    "24h": (timedelta(hours=24), 10 * _MINUTE_S),
    "7d": (timedelta(days=7), 60 * _MINUTE_S),
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


def label_counts(camera: Camera, *, span: Span, measure: Measure, at: datetime) -> LabelCounts:
    """Return how many objects of each class began to be seen (or were there at once) a bucket."""
    length, step_s = _LENGTH_AND_STEP[span]
    end = _bucket(at, step_s) + step_s
    start = end - int(length.total_seconds())
    times = list(range(start, end, step_s))
    begin = datetime.fromtimestamp(start, UTC)
    watched = _watched(camera, begin, step_s)
    per_label = _per_label(camera, begin, step_s, measure)
    ranked = sorted(per_label, key=lambda name: (-_total(per_label[name], measure), name))
    series = [
        Series(
            label=name,
            total=_total(per_label[name], measure),
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
        camera__in=[camera.pk for camera in cameras],
        bundle__in=list(bundles),  # the second column of the index
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
    camera: Camera, begin: datetime, step_s: int, measure: Measure
) -> dict[str, dict[int, int]]:
    bundles = {
        bundle.pk: bundle for bundle in Bundle.objects.filter(organization=camera.organization_id)
    }
    rows = LabelMinute.objects.filter(
        camera=camera, bundle__in=list(bundles), minute_at__gte=begin
    ).values_list("bundle_id", "label", "minute_at", "n_tracks", "peak")
    per_label: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for bundle_id, label, minute_at, n_tracks, peak in rows.iterator():
        buckets = per_label[label_name(bundles[bundle_id], label)]
        bucket = _bucket(minute_at, step_s)
        if measure == "seen":
            buckets[bucket] += n_tracks
        else:
            buckets[bucket] = max(buckets[bucket], peak)
    return {name: dict(buckets) for name, buckets in per_label.items() if any(buckets.values())}


def _watched(camera: Camera, begin: datetime, step_s: int) -> set[int]:
    minutes = CameraMinute.objects.filter(camera=camera, minute_at__gte=begin, n_results__gt=0)
    return {_bucket(minute, step_s) for minute in minutes.values_list("minute_at", flat=True)}


def _total(buckets: dict[int, int], measure: Measure) -> int:
    return sum(buckets.values()) if measure == "seen" else max(buckets.values(), default=0)


def _bucket(instant: datetime, step_s: int) -> int:
    return int(instant.timestamp()) // step_s * step_s
