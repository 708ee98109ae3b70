"""Counts of many cameras: what was seen, what came into a zone, what pictures were like."""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from webapp.monitoring.models import FEATURES
from webapp.monitoring.sketches import Sketch
from webapp.results.counted import Length

N_LABELS: Final = 8
_N_FRAMES: Final = 360

_CAMERAS: Final = (
    "INSERT INTO results_camera{0} (camera_id, organization_id, {0}_at, n_results)"
    " SELECT c, %s, %s + n * interval '1 {0}', 300"
    " FROM generate_series(0, %s) AS n, unnest(%s::uuid[]) AS c"
    " ORDER BY n, c"  # as they are made: an hour after another
)
_LABELS: Final = (
    "INSERT INTO results_label{0} (camera_id, organization_id, bundle_id, {0}_at, label,"
    " n_detections, n_tracks, peak)"
    " SELECT c, %s, (%s::uuid[])[1 + n / 24 %% %s], %s + n * interval '1 {0}', l, 900,"
    " 30 + (n * 7 + l * 13) %% 40, 4"
    " FROM generate_series(0, %s) AS n, unnest(%s::uuid[]) AS c, generate_series(0, %s) AS l"
    " ORDER BY n, c, l"
)
_ZONES: Final = (
    "INSERT INTO results_zone{0} (camera_id, organization_id, zone_id, bundle_id, {0}_at,"
    " label, n_tracks)"
    " SELECT c, %s, %s, %s, %s + n * interval '1 {0}', l, 5 + (n * 7 + l * 13) %% 10"
    " FROM generate_series(0, %s) AS n, unnest(%s::uuid[]) AS c, generate_series(0, 1) AS l"
    " ORDER BY n, c, l"
)
_FEATURES: Final = (
    "INSERT INTO monitoring_feature{0} (camera_id, organization_id, begins_at, n_frames,"
    " brightness, contrast, sharpness, noise, motion)"
    " SELECT c, %s, %s + n * interval '1 {0}', %s, %s, %s, %s, %s, %s"
    " FROM generate_series(0, %s) AS n, unnest(%s::uuid[]) AS c"
)


class Span:
    """Writes what there is of so many minutes or hours, from `first` on."""

    def __init__(self, organization: UUID, length: Length, first: datetime, n: int) -> None:
        self._organization = organization
        self._length = length
        self._first = first
        self._last = n - 1

    def watch(self, cameras: Sequence[UUID]) -> None:
        """Have results in each of them."""
        self._write(_CAMERAS, [self._organization, self._first, self._last, list(cameras)])

    def see(self, cameras: Sequence[UUID], bundles: Sequence[UUID]) -> None:
        """Have all classes seen in each of them, by one bundle a day of hours after another."""
        bundled = [self._organization, list(bundles), len(bundles), self._first]
        self._write(_LABELS, [*bundled, self._last, list(cameras), N_LABELS - 1])

    def enter(self, cameras: Sequence[UUID], zone_id: UUID, bundle: UUID) -> None:
        """Have two classes come into a zone in each of them."""
        into = [self._organization, zone_id, bundle, self._first]
        self._write(_ZONES, [*into, self._last, list(cameras)])

    def measure(self, cameras: Sequence[UUID]) -> None:
        """Have features in each of them."""
        dice = random.Random(5)  # noqa: S311 - a made-up picture
        sketches = [
            Sketch.of(abs(dice.gauss(0.4, 0.1)) for _ in range(_N_FRAMES)).encode()
            for _ in FEATURES
        ]
        begun = [self._organization, self._first, _N_FRAMES]
        self._write(_FEATURES, [*begun, *sketches, self._last, list(cameras)])

    def _write(self, statement: str, values: list[Any]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement.format(self._length), values)
