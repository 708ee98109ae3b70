"""Counts per class over time, as the chart draws them."""

from datetime import datetime, timedelta

import pytest

from tests.factories import START, make_bundle, make_camera
from webapp.dashboard.counts import MAX_SERIES, label_counts, seen_since
from webapp.fleet.models import Bundle, Camera
from webapp.results.models import CameraMinute, LabelMinute

pytestmark = pytest.mark.django_db


def see(
    camera: Camera, bundle: Bundle, label: int, at: datetime, *, n: int = 1, peak: int = 1
) -> None:
    LabelMinute.objects.create(
        camera=camera,
        organization=camera.organization,
        bundle=bundle,
        minute_at=at,
        label=label,
        n_detections=n,
        n_tracks=n,
        peak=peak,
    )


def watch(camera: Camera, at: datetime) -> None:
    CameraMinute.objects.create(
        camera=camera, organization=camera.organization, minute_at=at, n_results=600
    )


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
    ("span", "n", "step_s"), [("1h", 60, 60), ("24h", 144, 600), ("7d", 168, 3600)]
)
def test_every_span_has_few_enough_buckets(camera: Camera, span: str, n: int, step_s: int) -> None:
    counts = label_counts(camera, span=span, measure="seen", at=START)  # type: ignore[arg-type]  # from the table
    assert (len(counts.times), counts.step_s) == (n, step_s)


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


def test_what_a_card_shows_is_the_last_hour_most_first(camera: Camera, bundle: Bundle) -> None:
    see(camera, bundle, 0, START, n=2)
    see(camera, bundle, 2, START, n=7)
    see(camera, bundle, 1, START - timedelta(hours=3), n=50)
    seen = seen_since([camera], {bundle.pk: bundle}, since=START - timedelta(hours=1))
    assert seen == {camera.pk: [("car", 7), ("person", 2)]}
