"""Charts of months are read from hours and days: no plan of theirs knows raw rows or minutes."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import START, make_result
from tests.rollups import see, watch
from webapp.dashboard.counts import label_counts
from webapp.dashboard.quality import quality_band
from webapp.fleet.models import Bundle, Camera
from webapp.monitoring.models import FEATURES
from webapp.monitoring.series import spreads
from webapp.results.counts import Asked, counts_of, zone_counts_of

pytestmark = pytest.mark.django_db

SINCE = START - timedelta(days=90)
READS: dict[str, Callable[[Camera], object]] = {
    "counts of 7 days": lambda camera: label_counts(camera, span="7d", measure="seen", at=START),
    "counts of 30 days": lambda camera: label_counts(camera, span="30d", measure="peak", at=START),
    "counts of 90 days": lambda camera: label_counts(camera, span="90d", measure="seen", at=START),
    "counts of a zone": lambda camera: label_counts(
        camera, span="90d", measure="seen", at=START, zone_id=UUID(int=1)
    ),
    "quality of 90 days": lambda camera: quality_band(
        camera, feature="noise", span="90d", at=START
    ),
    "counts over HTTP": lambda _: counts_of(Asked(Camera.objects.all(), "day", SINCE, START)),
    "zone counts over HTTP": lambda _: zone_counts_of(
        Asked(Camera.objects.all(), "day", SINCE, START)
    ),
    "features over HTTP": lambda _: list(
        spreads(Camera.objects.all(), FEATURES, step_s=86_400, start=SINCE, end=START)
    ),
}


@pytest.mark.parametrize("name", READS)
def test_it_works(camera: Camera, bundle: Bundle, name: str) -> None:
    make_result(camera, bundle)
    watch(camera, START)
    see(camera, bundle, 0, START)
    with CaptureQueriesContext(connection) as asked:
        READS[name](camera)
    plans = [plan_of(query["sql"]) for query in asked.captured_queries]
    assert any("hour" in plan for plan in plans)
    for plan in plans:
        assert "results_result" not in plan
        assert "minute" not in plan


def plan_of(sql: str) -> str:
    """Return how the database would answer."""
    with connection.cursor() as cursor:
        cursor.execute(f"{connection.ops.explain_query_prefix()} {sql}")
        return "\n".join(str(row) for row in cursor.fetchall())
