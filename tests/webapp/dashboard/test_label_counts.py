"""Counts per class over time, as the chart draws them."""

import itertools
from datetime import timedelta
from uuid import UUID

import pytest

from tests.factories import START, make_bundle, make_camera
from tests.rollups import enter, see, watch
from webapp.dashboard.counts import MAX_SERIES, label_counts, seen_since
from webapp.fleet.models import Bundle, Camera
from webapp.results.folding import fold

GATE, YARD = UUID(int=1), UUID(int=2)
pytestmark = pytest.mark.django_db


def test_it_works(camera: Camera, bundle: Bundle) -> None:
    for minutes in (2, 1):
        watch(camera, START - timedelta(minutes=minutes))
    see(camera, bundle, 0, START - timedelta(minutes=2), n=3)
    see(camera, bundle, 2, START - timedelta(minutes=1), n=1)
    counts = label_counts(camera, span="1h", measure="seen", at=START)
    assert len(counts.times) == 60
    assert counts.times[-1] == int(START.timestamp())
    assert [(series.label, series.total) for series in counts.series] == [("person", 3), ("car", 1)]
    assert counts.series[0].values[-3:] == [3, 0, None]
    assert counts.series[1].values[-3:] == [0, 1, None]


def test_nobody_watched_is_not_zero(camera: Camera, bundle: Bundle) -> None:
    watch(camera, START)
    see(camera, bundle, 0, START)
    (series,) = label_counts(camera, span="1h", measure="seen", at=START).series
    assert series.values == [None] * 59 + [1]


def test_peaks_are_the_most_at_once_and_never_summed(camera: Camera, bundle: Bundle) -> None:
    for minute, peak in enumerate((2, 5, 3)):
        see(camera, bundle, 0, START - timedelta(minutes=minute), n=9, peak=peak)
    (series,) = label_counts(camera, span="24h", measure="peak", at=START).series
    assert series.total == 5
    assert max(value or 0 for value in series.values) == 5


@pytest.mark.parametrize(
    ("span", "n", "step_s"),
    [("1h", 60, 60), ("24h", 144, 600), ("7d", 168, 3600), ("30d", 120, 21600), ("90d", 90, 86400)],
)
def test_every_span_has_few_enough_buckets(camera: Camera, span: str, n: int, step_s: int) -> None:
    counts = label_counts(camera, span=span, measure="seen", at=START)  # type: ignore[arg-type]  # from the table
    assert (len(counts.times), counts.step_s) == (n, step_s)


@pytest.mark.parametrize(
    ("span", "is_folded"), list(itertools.product(("7d", "30d", "90d"), (False, True)))
)
def test_long_spans_tell_the_same_from_minutes_hours_and_days(
    camera: Camera, bundle: Bundle, *, span: str, is_folded: bool
) -> None:
    for days, n, peak in ((1, 3, 2), (1, 2, 5), (6, 4, 1)):
        at = START - timedelta(days=days, minutes=n)
        watch(camera, at)
        see(camera, bundle, 0, at, n=n, peak=peak)
    if is_folded:
        assert list(fold(START))
    for measure, total in (("seen", 9), ("peak", 5)):
        counts = label_counts(camera, span=span, measure=measure, at=START)  # type: ignore[arg-type]  # from the table
        (series,) = counts.series
        assert series.total == total
        assert [value for value in series.values if value] == [4 if measure == "seen" else 1, 5]


def test_two_bundles_that_call_it_the_same_are_one_series(camera: Camera, bundle: Bundle) -> None:
    newer = make_bundle(camera.organization, labels=["dog", "person"])
    see(camera, bundle, 0, START, n=2)
    see(camera, newer, 1, START, n=3)
    (series,) = label_counts(camera, span="1h", measure="seen", at=START).series
    assert (series.label, series.total) == ("person", 5)


def test_rare_classes_are_counted_not_drawn(camera: Camera) -> None:
    bundle = make_bundle(camera.organization, labels=[f"class {i}" for i in range(12)])
    for label in range(12):
        see(camera, bundle, label, START, n=label + 1)
    counts = label_counts(camera, span="1h", measure="seen", at=START)
    assert len(counts.series) == MAX_SERIES
    assert counts.n_hidden == 4
    assert counts.series[0].total == 12


def test_a_label_that_the_bundle_does_not_know_keeps_its_number(
    camera: Camera, bundle: Bundle
) -> None:
    see(camera, bundle, 99, START)
    (series,) = label_counts(camera, span="1h", measure="seen", at=START).series
    assert series.label == "class 99"


def test_other_cameras_and_older_minutes_do_not_count(camera: Camera, bundle: Bundle) -> None:
    see(make_camera(camera.agent), bundle, 0, START)
    see(camera, bundle, 0, START - timedelta(hours=2))
    assert label_counts(camera, span="1h", measure="seen", at=START).series == []


@pytest.mark.parametrize("is_folded", [False, True])
def test_a_zone_s_counts_are_what_came_into_it(
    camera: Camera, bundle: Bundle, *, is_folded: bool
) -> None:
    newer = make_bundle(camera.organization, labels=["dog", "person"])
    for days in (0, 1, 2):
        watch(camera, START - timedelta(days=days))
    enter(camera, bundle, GATE, 0, START, n=2)
    enter(camera, newer, GATE, 1, START - timedelta(days=1), n=4)
    enter(camera, bundle, YARD, 2, START, n=50)
    enter(make_camera(camera.agent), bundle, GATE, 0, START, n=50)
    if is_folded:
        assert list(fold(START))
    counts = label_counts(camera, span="90d", measure="seen", at=START, zone_id=GATE)
    (series,) = counts.series
    assert (series.label, series.total) == ("person", 6)
    assert series.values[-4:] == [None, 0, 4, 2]


def test_what_a_card_shows_is_the_last_hour_most_first(camera: Camera, bundle: Bundle) -> None:
    see(camera, bundle, 0, START, n=2)
    see(camera, bundle, 2, START, n=7)
    see(camera, bundle, 1, START - timedelta(hours=3), n=50)
    seen = seen_since([camera], {bundle.pk: bundle}, since=START - timedelta(hours=1))
    assert seen == {camera.pk: [("car", 7), ("person", 2)]}
