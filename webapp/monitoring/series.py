"""What cameras' pictures were like over time: features by bucket, read from sketches alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from webapp.fleet.models import Camera
from webapp.monitoring.models import Feature, FeatureHour, FeatureMinute
from webapp.monitoring.sketches import Sketch, merged

MAX_ROWS: Final = 20_000
"""Sketches that are read at once."""
_HOUR_S: Final = 3600


class TooMuchAtOnce(ValueError):
    """So much is not read at once; the text says what to ask for instead."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How one feature of a camera's frames was spread in one bucket of time."""

    camera: UUID
    bucket_at: datetime
    feature: Feature
    n_frames: int
    mean: float
    least: float
    p10: float
    p50: float
    p90: float
    most: float


def spreads(
    cameras: QuerySet[Camera],
    features: Sequence[Feature],
    *,
    step_s: int,
    start: datetime,
    end: datetime,
) -> Iterator[Spread]:
    """Yield the spread of each feature in each bucket that begins in [start, end), in order.

    Buckets of an hour or more are read from hours; one that begins before `start` is whole in it
    all the same. Raises `TooMuchAtOnce`.
    """
    table: type[FeatureMinute | FeatureHour] = FeatureMinute
    if step_s >= _HOUR_S:
        table = FeatureHour
        start = start.replace(minute=0, second=0, microsecond=0)
    found = table.objects.filter(camera__in=cameras, begins_at__gte=start, begins_at__lt=end)
    rows = found.order_by("camera_id", "begins_at").values_list("camera_id", "begins_at", *features)
    read = list(rows[: MAX_ROWS + 1])
    if len(read) > MAX_ROWS:
        raise TooMuchAtOnce("That is too much at once: ask for one camera, or a shorter time.")
    buckets = ((camera_id, _bucket(at, step_s), packed) for camera_id, at, *packed in read)
    for (camera_id, bucket_at), group in groupby(buckets, key=itemgetter(0, 1)):
        columns = zip(*(packed for _, _, packed in group), strict=True)
        for feature, column in zip(features, columns, strict=True):
            sketch = merged(Sketch.decode(packed) for packed in column)
            yield _spread(camera_id, bucket_at, feature, sketch)


def _bucket(at: datetime, step_s: int) -> datetime:
    return at - timedelta(seconds=at.timestamp() % step_s)


def _spread(camera_id: UUID, bucket_at: datetime, feature: Feature, sketch: Sketch) -> Spread:
    return Spread(
        camera=camera_id,
        bucket_at=bucket_at,
        feature=feature,
        n_frames=sketch.n,
        mean=sketch.mean,
        least=sketch.minimum,
        p10=sketch.quantile(0.1),
        p50=sketch.quantile(0.5),
        p90=sketch.quantile(0.9),
        most=sketch.maximum,
    )
