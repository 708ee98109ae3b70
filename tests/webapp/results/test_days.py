"""A folded day is the sum of its hours, whatever comes when; what is not folded is minutes."""

from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from pytest_django.fixtures import Settings

from tests.factories import START
from tests.rollups import enter, see, watch
from tests.webapp.results.test_hours import new, store
from webapp.common.keeping import forget_old
from webapp.fleet.models import Bundle, Camera
from webapp.results.folding import fold, folded_until
from webapp.results.models import CameraDay, Folded, LabelDay
from webapp.results.rollups import DAYS, HOURS, MINUTES, stretches

pytestmark = pytest.mark.django_db

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TODAY = START.replace(hour=0)
LONG_AGO = (TODAY - START - 2 * DAY).total_seconds()
"""In seconds after `START`: the first instant of the day before yesterday."""


def label_days() -> list[tuple[object, ...]]:
    rows = LabelDay.objects.order_by("day_at", "label")
    return list(rows.values_list("day_at", "label", "n_detections", "n_tracks", "peak"))


def test_it_works(camera: Camera, bundle: Bundle) -> None:
    store(
        camera,
        new(camera, bundle, 1, 0, 0, after_s=LONG_AGO),
        new(camera, bundle, 2, 0, after_s=LONG_AGO + 86_399),
        new(camera, bundle, 3, 0, after_s=LONG_AGO + 86_400),
        new(camera, bundle, 4, 0, after_s=0),
    )
    assert list(fold(START)) == [TODAY - DAY, TODAY, START - 2 * HOUR]
    assert label_days() == [(TODAY - 2 * DAY, 0, 3, 2, 2), (TODAY - DAY, 0, 1, 1, 1)]
    frames = CameraDay.objects.order_by("day_at").values_list("day_at", "n_results")
    assert list(frames) == [(TODAY - 2 * DAY, 2), (TODAY - DAY, 1)]
    assert list(fold(START)) == []


def test_a_day_is_folded_with_its_last_hour(camera: Camera) -> None:
    watch(camera, TODAY - HOUR)
    assert list(fold(TODAY + timedelta(minutes=119))) == []
    assert not CameraDay.objects.exists()
    assert list(fold(TODAY + 2 * HOUR)) == [TODAY]
    assert CameraDay.objects.get().day_at == TODAY - DAY


def test_late_data_is_in_a_folded_day_at_once(camera: Camera, bundle: Bundle) -> None:
    store(camera, new(camera, bundle, 1, 0, 0, after_s=LONG_AGO))
    list(fold(START))
    store(
        camera,
        new(camera, bundle, 2, 0, after_s=LONG_AGO + 10),
        new(camera, bundle, 3, 2, after_s=LONG_AGO - 1),
    )
    assert label_days() == [(TODAY - 3 * DAY, 2, 1, 1, 1), (TODAY - 2 * DAY, 0, 3, 2, 2)]


def test_a_clock_that_was_ahead_is_forgiven(camera: Camera, bundle: Bundle) -> None:
    store(camera, new(camera, bundle, 1, 0, after_s=LONG_AGO))
    list(fold(START + 5 * DAY))
    see(camera, bundle, 0, START)  # by a process whose clock was right
    list(fold(START))
    assert folded_until() == START - 2 * HOUR
    assert label_days() == [(TODAY - 2 * DAY, 0, 1, 1, 1)]
    list(fold(START + DAY))
    assert label_days()[1:] == [(TODAY, 0, 1, 1, 1)]


def test_a_hub_that_has_seen_nothing_folds_nothing() -> None:
    assert list(fold(START)) == []
    assert folded_until() is None


def test_days_and_zones_are_kept_as_long_as_hours(
    camera: Camera, bundle: Bundle, settings: Settings
) -> None:
    settings.KEEP_DAYS = dict.fromkeys(settings.KEEP_DAYS, 10)
    for days in (11, 9):
        watch(camera, TODAY - timedelta(days=days))
        see(camera, bundle, 0, TODAY - timedelta(days=days))
        enter(camera, bundle, UUID(int=1), 0, TODAY - timedelta(days=days))
    list(fold(START))
    gone: Counter[str] = Counter()
    for name, n_rows in forget_old(START):
        gone[name] += n_rows
    assert gone == {"minutes": 3, "hours": 6}
    for model in (*MINUTES.tables, *HOURS.tables, *DAYS.tables):
        assert model._default_manager.count() == 1


def parts(bucket: timedelta, start: datetime, end: datetime) -> list[tuple[object, ...]]:
    return [(part.rollups, part.start, part.end) for part in stretches(bucket, start, end)]


def test_whole_days_are_read_as_days_then_hours_and_what_is_left_as_minutes() -> None:
    until = START - 2 * HOUR
    Folded.objects.create(until=until)
    long_ago = START - 9 * DAY
    assert parts(DAY, long_ago, START) == [
        (HOURS, long_ago, TODAY - 8 * DAY), (DAYS, TODAY - 8 * DAY, TODAY),
        (HOURS, TODAY, until), (MINUTES, until, START),
    ]  # fmt: skip
    assert parts(DAY, TODAY - DAY, TODAY) == [(DAYS, TODAY - DAY, TODAY)]
    assert parts(DAY, TODAY + HOUR, START) == [
        (HOURS, TODAY + HOUR, until), (MINUTES, until, START),
    ]  # fmt: skip
    assert parts(HOUR, long_ago, START) == [(HOURS, long_ago, until), (MINUTES, until, START)]
    half_past = TODAY + timedelta(minutes=30)
    assert parts(HOUR, half_past, half_past + HOUR) == [(HOURS, TODAY, half_past + HOUR)]
    assert parts(HOUR, START - HOUR, START) == [(MINUTES, START - HOUR, START)]
    assert parts(timedelta(minutes=1), long_ago, START) == [(MINUTES, long_ago, START)]


def test_before_anything_is_folded_days_are_read_as_minutes(camera: Camera, bundle: Bundle) -> None:
    see(camera, bundle, 0, START)
    assert parts(DAY, TODAY - DAY, START) == [(MINUTES, TODAY - DAY, START)]


def test_the_last_day_of_the_calendar_can_be_asked_for() -> None:
    Folded.objects.create(until=TODAY)
    noon = START.replace(year=9999, month=12, day=31)
    assert parts(DAY, noon, noon + HOUR) == [(MINUTES, noon, noon + HOUR)]


def test_what_is_not_folded_is_kept(camera: Camera, settings: Settings) -> None:
    settings.KEEP_DAYS = dict.fromkeys(settings.KEEP_DAYS, 1)
    for days in (9, 8):
        watch(camera, TODAY - days * DAY)
    assert list(forget_old(START)) == []
    list(fold(TODAY - 8 * DAY))
    assert [(name, n_rows) for name, n_rows in forget_old(START)] == [("minutes", 1), ("hours", 1)]
