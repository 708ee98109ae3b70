"""Charts of months are read from hours and days: of raw rows no plan of theirs knows.

Minutes are read from when hours are folded on.
"""

import re
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
from webapp.results.folding import fold

pytestmark = pytest.mark.django_db

SINCE = START - timedelta(days=90)
SINCE_FOLDED = re.compile(r"minute_at\S* >= '2026-11-22[ T]10:00:00")
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
    begin = START - timedelta(days=2)
    watch(camera, begin)
    see(camera, bundle, 0, begin)
    list(fold(START))
    with CaptureQueriesContext(connection) as asked:
        READS[name](camera)
    plans = {query["sql"]: plan_of(query["sql"]) for query in asked.captured_queries}
    assert any("hour" in plan for plan in plans.values())
    for sql, plan in plans.items():
        assert "results_result" not in plan
        assert "minute" not in plan or SINCE_FOLDED.search(sql)


def plan_of(sql: str) -> str:
    """Return how the database would answer."""
    with connection.cursor() as cursor:
        cursor.execute(f"{connection.ops.explain_query_prefix()} {sql}")
        return "\n".join(str(row) for row in cursor.fetchall())
