"""Reads for judging pictures: what cameras show these minutes, and what they usually show."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from webapp.monitoring.judging import Usual, usual_of
from webapp.monitoring.models import FEATURES, Feature, FeatureHour, FeatureMinute
from webapp.monitoring.sketches import Sketch, merged

WINDOW: Final = timedelta(minutes=5)
LATEST: Final = timedelta(minutes=2)
MIN_FRAMES: Final = 6
"""In the window; of fewer nothing new is said."""
_DAYS: Final = 14
_MIN_FRAMES_AN_HOUR: Final = 30


@dataclass(frozen=True, slots=True)
class Shown:
    """Medians of what a camera showed; of the window, and of its last minutes."""

    n_frames: int
    recent: Mapping[Feature, float]
    latest: Mapping[Feature, float]
    """Empty when nothing came in the last minutes."""


def shown_by(cameras: Collection[UUID], *, at: datetime) -> dict[UUID, Shown]:
    """Return what cameras show, of those whose frames were measured in the window."""
    minute_at = at.replace(second=0, microsecond=0)
    rows = FeatureMinute.objects.filter(
        camera__in=cameras, begins_at__gt=minute_at - WINDOW, begins_at__lte=at
    ).values_list("camera_id", "begins_at", *FEATURES)
    of_camera: dict[UUID, list[tuple[datetime, list[Sketch]]]] = defaultdict(list)
    for camera_id, begins_at, *packed in rows.iterator():
        of_camera[camera_id].append((begins_at, [Sketch.decode(each) for each in packed]))
    return {
        camera_id: Shown(
            n_frames=sum(sketches[0].n for _, sketches in minutes),
            recent=_medians([sketches for _, sketches in minutes]),
            latest=_medians([each for at_, each in minutes if at_ > minute_at - LATEST]),
        )
        for camera_id, minutes in of_camera.items()
    }


def usual_for(cameras: Collection[UUID], *, at: datetime) -> dict[UUID, dict[Feature, Usual]]:
    """Return what cameras usually show at this hour of the day; what is not known is left out."""
    hour_at = at.replace(minute=0, second=0, microsecond=0)
    rows = FeatureHour.objects.filter(
        camera__in=cameras,
        begins_at__in=[hour_at - timedelta(days=days) for days in range(1, _DAYS + 1)],
        n_frames__gte=_MIN_FRAMES_AN_HOUR,
    ).values_list("camera_id", *FEATURES)
    days: dict[UUID, list[list[Sketch]]] = defaultdict(list)
    for camera_id, *packed in rows.iterator():
        days[camera_id].append([Sketch.decode(each) for each in packed])
    usual: dict[UUID, dict[Feature, Usual]] = {}
    for camera_id, sketches in days.items():
        by_feature = zip(FEATURES, zip(*sketches, strict=True), strict=True)
        known = ((feature, usual_of(of_days)) for feature, of_days in by_feature)
        usual[camera_id] = {feature: found for feature, found in known if found is not None}
    return usual


def _medians(minutes: list[list[Sketch]]) -> dict[Feature, float]:
    columns = zip(*minutes, strict=True)
    return {
        feature: merged(column).quantile(0.5)
        for feature, column in zip(FEATURES, columns, strict=False)
    }
