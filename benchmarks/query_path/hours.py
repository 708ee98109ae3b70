"""Every hour of many cameras: what was seen, what came into a zone, what pictures were like."""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from webapp.monitoring.models import FEATURES
from webapp.monitoring.sketches import Sketch

N_LABELS: Final = 8
_N_FRAMES: Final = 360

_CAMERAS: Final = (
    "INSERT INTO results_camerahour (camera_id, organization_id, hour_at, n_results)"
    " SELECT c, %s, %s + h * interval '1 hour', 18000"
    " FROM generate_series(0, %s) AS h, unnest(%s::uuid[]) AS c"
)
_LABELS: Final = (
    "INSERT INTO results_labelhour (camera_id, organization_id, bundle_id, hour_at, label,"
    " n_detections, n_tracks, peak)"
    " SELECT c, %s, (%s::uuid[])[1 + h / 24 %% %s], %s + h * interval '1 hour', l, 900,"
    " 30 + (h * 7 + l * 13) %% 40, 4"
    " FROM generate_series(0, %s) AS h, unnest(%s::uuid[]) AS c, generate_series(0, %s) AS l"
    " ORDER BY h, c, l"  # as the writer makes them: an hour after another, a camera's together
)
_ZONES: Final = (
    "INSERT INTO results_zonehour (camera_id, organization_id, zone_id, bundle_id, hour_at,"
    " label, n_tracks)"
    " SELECT c, %s, %s, %s, %s + h * interval '1 hour', l, 5 + (h * 7 + l * 13) %% 10"
    " FROM generate_series(0, %s) AS h, unnest(%s::uuid[]) AS c, generate_series(0, 1) AS l"
    " ORDER BY h, c, l"
)
_FEATURES: Final = (
    "INSERT INTO monitoring_featurehour (camera_id, organization_id, begins_at, n_frames,"
    " brightness, contrast, sharpness, noise, motion)"
    " SELECT c, %s, %s + h * interval '1 hour', %s, %s, %s, %s, %s, %s"
    " FROM generate_series(0, %s) AS h, unnest(%s::uuid[]) AS c"
)


class Hours:
    """Writes the hours from `first` on, so many after it."""

    def __init__(self, organization: UUID, first: datetime, n_hours: int) -> None:
        self._organization = organization
        self._first = first
        self._last = n_hours - 1

    def watch(self, cameras: Sequence[UUID]) -> None:
        """Have results and features in every hour."""
        dice = random.Random(5)  # noqa: S311 - a made-up picture
        sketches = [
            Sketch.of(abs(dice.gauss(0.4, 0.1)) for _ in range(_N_FRAMES)).encode()
            for _ in FEATURES
        ]
        whose = [self._organization, self._first]
        self._write(_CAMERAS, [*whose, self._last, list(cameras)])
        self._write(_FEATURES, [*whose, _N_FRAMES, *sketches, self._last, list(cameras)])

    def see(self, cameras: Sequence[UUID], bundles: Sequence[UUID]) -> None:
        """Have all classes seen in every hour, by one bundle a day after another."""
        bundled = [self._organization, list(bundles), len(bundles), self._first]
        self._write(_LABELS, [*bundled, self._last, list(cameras), N_LABELS - 1])

    def enter(self, cameras: Sequence[UUID], zone_id: UUID, bundle: UUID) -> None:
        """Have two classes come into a zone in every hour."""
        into = [self._organization, zone_id, bundle, self._first]
        self._write(_ZONES, [*into, self._last, list(cameras)])

    def _write(self, statement: str, values: list[Any]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
