"""Each UTC day has its partition, made in time or on demand; an old one goes whole."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import OperationalError, connection, connections

from tests.factories import START, make_result
from webapp.fleet.models import Bundle, Camera
from webapp.results.actions import make_partitions
from webapp.results.keeping import of_cameras
from webapp.results.models import CameraMinute, Result
from webapp.results.partitions import AHEAD, days_before, drop_day, ensure_days, rows_of

FAR = date(9000, 1, 1)
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="see test_on_postgresql.py"),
]


def test_a_week_is_made_ahead_and_again_does_no_harm() -> None:
    at = datetime(2100, 5, 1, 23, 59, tzinfo=UTC)
    for _ in range(2):
        make_partitions(at)
    made = [day for day in days_before(FAR) if day >= at.date() - timedelta(days=1)]
    assert made == [date(2100, 4, 30) + timedelta(days=n) for n in range(AHEAD.days + 2)]


def test_a_row_lies_in_the_partition_of_its_utc_day(camera: Camera, bundle: Bundle) -> None:
    midnight = START.replace(hour=0)
    for at in (midnight - timedelta(microseconds=1), midnight, midnight + timedelta(hours=23.99)):
        make_result(camera, bundle, captured_at=at)
    assert [rows_of((midnight + timedelta(days=n)).date()) for n in (-1, 0)] == [1, 2]


def test_a_day_goes_whole_and_can_be_made_again(camera: Camera, bundle: Bundle) -> None:
    make_result(camera, bundle, captured_at=START)
    drop_day(START.date())
    assert not Result.objects.exists()
    make_result(camera, bundle, captured_at=START)
    assert Result.objects.count() == 1


def test_a_camera_s_frames_are_found_in_their_partition_by_its_index(
    camera: Camera, bundle: Bundle
) -> None:
    ensure_days([START.date() + timedelta(days=n) for n in range(5)], today=START.date())
    make_result(camera, bundle)
    rows = Result.objects.filter(
        camera=camera, captured_at__gte=START, captured_at__lt=START + timedelta(hours=1)
    )
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = rows.explain()
    assert plan.count("results_result_") >= 1
    assert f"{START + timedelta(days=1):%Y%m%d}" not in plan
    assert "camera_id_captured_at" in plan


def test_old_minutes_are_found_by_an_index(camera: Camera) -> None:
    (rows,) = of_cameras("minute_at", CameraMinute)(START)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "camera_minute_once" in rows.explain()


@pytest.mark.django_db(transaction=True)
def test_a_busy_table_is_not_waited_for_longer_than_others_can_wait() -> None:
    ensure_days([START.date()], today=START.date())
    reader = connections.create_connection("default")
    try:
        reader.set_autocommit(False)
        with reader.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM results_result")
        with pytest.raises(OperationalError, match="lock timeout"):
            drop_day(START.date())
        reader.rollback()
        drop_day(START.date())
    finally:
        reader.close()
    assert START.date() not in days_before(FAR)
