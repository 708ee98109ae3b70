"""A folded hour is the sum of its minutes, whatever comes when."""

from datetime import UTC, timedelta
from random import Random

import pytest
from django.db.models import Max, Sum
from django.db.models.functions import TruncHour

from tests.factories import START, make_bundle, make_camera, make_detections
from webapp.fleet.models import Bundle, Camera
from webapp.results.actions import store_results
from webapp.results.bulk import NewResult, NewResults
from webapp.results.folding import fold, folded_until
from webapp.results.models import CameraHour, CameraMinute, LabelHour, LabelMinute

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def new(camera: Camera, bundle: Bundle, seq: int, *labels: int, after_s: float) -> NewResult:
    return NewResult(
        seq=seq,
        camera=camera.id.hex,
        bundle=bundle.id.hex,
        captured_at=START + timedelta(seconds=after_s),
        latency_ms=12.5,
        detections=make_detections(*labels),
        n_started=tuple((label, 1) for label in set(labels)),
    )


def store(camera: Camera, *results: NewResult) -> None:
    organization, agent = camera.organization_id.hex, camera.agent_id.hex
    store_results([NewResults(organization, agent, 1, START, list(results))])


def test_it_works(camera: Camera, bundle: Bundle) -> None:
    store(
        camera,
        new(camera, bundle, 1, 0, 0, after_s=10),
        new(camera, bundle, 2, 0, after_s=3599),
        new(camera, bundle, 3, 2, after_s=3600),
    )
    assert list(fold(START + 4 * HOUR)) == [START + 2 * HOUR]
    store(camera, new(camera, bundle, 4, 0, after_s=70))
    frames = CameraHour.objects.order_by("hour_at").values_list("hour_at", "n_results")
    assert list(frames) == [(START, 3), (START + HOUR, 1)]
    seen = LabelHour.objects.order_by("hour_at")
    assert list(seen.values_list("label", "n_detections", "n_tracks", "peak")) == [
        (0, 4, 3, 2), (2, 1, 1, 1),
    ]  # fmt: skip


def test_an_hour_is_folded_when_it_has_been_over_for_two(camera: Camera, bundle: Bundle) -> None:
    store(camera, new(camera, bundle, 1, 0, after_s=0))
    assert list(fold(START + timedelta(hours=2, minutes=59))) == []
    assert not CameraHour.objects.exists()
    assert list(fold(START + 3 * HOUR)) == [START + HOUR]
    assert CameraHour.objects.get().hour_at == START


def test_what_came_before_anything_else_is_in_its_hour_too(camera: Camera, bundle: Bundle) -> None:
    store(camera, new(camera, bundle, 2, 0, after_s=0))
    list(fold(START + 3 * HOUR))
    store(camera, new(camera, bundle, 1, 0, after_s=-9 * 3600))
    store(camera, new(camera, bundle, 3, 0, after_s=3600))
    frames = CameraHour.objects.order_by("hour_at").values_list("hour_at", "n_results")
    assert list(frames) == [(START - 9 * HOUR, 1), (START, 1)]


def test_late_data_is_added_to_an_hour_whose_minutes_are_gone(
    camera: Camera, bundle: Bundle
) -> None:
    store(camera, new(camera, bundle, 1, 0, 0, after_s=0))
    list(fold(START + 3 * HOUR))
    for minutes in (CameraMinute, LabelMinute):
        minutes._default_manager.all().delete()
    store(camera, new(camera, bundle, 2, 0, after_s=60))
    seen = LabelHour.objects.values_list("n_detections", "n_tracks", "peak")
    assert (CameraHour.objects.get().n_results, seen.get()) == (2, (3, 2, 2))


def test_late_data_in_any_order_leaves_hours_that_are_the_sums_of_their_minutes(
    camera: Camera, bundle: Bundle
) -> None:
    dice = Random(4)
    cameras, bundles = (
        (camera, make_camera(camera.agent)),
        (bundle, make_bundle(camera.organization)),
    )
    for first in range(1, 200, 20):
        list(fold(START + timedelta(seconds=40 * first)))
        store(
            camera,
            *(
                new(
                    dice.choice(cameras),
                    dice.choice(bundles),
                    seq,
                    *dice.choices(range(3), k=dice.randrange(4)),
                    after_s=dice.uniform(-9000, 9000),
                )
                for seq in range(first, first + 20)
            ),
        )
    keys, until = ("camera", "hour_at"), folded_until()
    assert until == START
    minutes = CameraMinute.objects.filter(minute_at__lt=until).annotate(
        hour_at=TruncHour("minute_at", tzinfo=UTC)
    )
    sums = minutes.values_list(*keys).annotate(Sum("n_results")).order_by(*keys)
    assert list(CameraHour.objects.order_by(*keys).values_list(*keys, "n_results")) == list(sums)
    of_label = (*keys, "bundle", "label")
    of_labels = LabelMinute.objects.filter(minute_at__lt=until).annotate(
        hour_at=TruncHour("minute_at", tzinfo=UTC)
    )
    totals = of_labels.values_list(*of_label).annotate(
        Sum("n_detections"), Sum("n_tracks"), Max("peak")
    )
    kept = LabelHour.objects.values_list(*of_label, "n_detections", "n_tracks", "peak")
    assert list(kept.order_by(*of_label)) == list(totals.order_by(*of_label))
