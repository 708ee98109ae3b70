"""What comes into zones is in their minutes and hours, exactly; nothing else costs anything."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import START
from tests.webapp.results.test_hours import new
from webapp.fleet.models import Bundle, Camera
from webapp.results.actions import store_results
from webapp.results.arrivals import NewEntered, NewResults
from webapp.results.folding import fold
from webapp.results.models import ZoneHour, ZoneMinute

pytestmark = pytest.mark.django_db

GATE, YARD = UUID(int=1), UUID(int=2)


def store(camera: Camera, bundle: Bundle, seq: int, *entered: tuple[UUID, int, int, int]) -> None:
    """Store a result and what came in: zone, label, how much, how many seconds after `START`."""
    into = [
        NewEntered(
            camera.id.hex, bundle.id.hex, START + timedelta(seconds=after_s), zone.hex, label, n
        )
        for zone, label, n, after_s in entered
    ]
    results = [new(camera, bundle, seq, 0, after_s=0)]
    whose = camera.organization_id.hex, camera.agent_id.hex
    store_results([NewResults(*whose, 1, START, results, into)])


def test_it_works(camera: Camera, bundle: Bundle) -> None:
    store(camera, bundle, 1, (GATE, 0, 2, 0), (GATE, 0, 1, 59), (GATE, 2, 1, 0), (YARD, 0, 1, 0))
    list(fold(START + timedelta(hours=3)))
    store(camera, bundle, 2, (GATE, 0, 5, 61), (GATE, 0, 7, 3600))
    list(fold(START + timedelta(hours=4)))
    minutes = ZoneMinute.objects.filter(camera=camera, bundle=bundle)
    one = timedelta(minutes=1)
    columns = ("zone_id", "minute_at", "label", "n_tracks")
    assert list(minutes.order_by(*columns[:3]).values_list(*columns)) == [
        (GATE, START, 0, 3), (GATE, START, 2, 1), (GATE, START + one, 0, 5),
        (GATE, START + 60 * one, 0, 7), (YARD, START, 0, 1),
    ]  # fmt: skip
    hours = ZoneHour.objects.order_by("zone_id", "hour_at", "label")
    assert list(hours.values_list("zone_id", "hour_at", "label", "n_tracks")) == [
        (GATE, START, 0, 8), (GATE, START, 2, 1), (GATE, START + 60 * one, 0, 7),
        (YARD, START, 0, 1),
    ]  # fmt: skip


def test_where_nothing_comes_in_the_database_is_not_asked(camera: Camera, bundle: Bundle) -> None:
    with CaptureQueriesContext(connection) as asked:
        store(camera, bundle, 1)
    assert not any("zone" in query["sql"] for query in asked.captured_queries)
