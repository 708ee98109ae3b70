"""The hours are their minutes' sums, whatever comes when."""

from datetime import UTC, timedelta
from random import Random

import pytest
from django.db.models import Max, Sum
from django.db.models.functions import TruncHour

from tests.factories import START, make_bundle, make_camera, make_detections
from webapp.fleet.models import Bundle, Camera
from webapp.results.actions import store_results
from webapp.results.bulk import NewResult, NewResults
from webapp.results.models import CameraHour, CameraMinute, LabelHour, LabelMinute

pytestmark = pytest.mark.django_db


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
    store(camera, new(camera, bundle, 4, 0, after_s=70))
    frames = CameraHour.objects.order_by("hour_at").values_list("hour_at", "n_results")
    assert list(frames) == [(START, 3), (START + timedelta(hours=1), 1)]
    seen = LabelHour.objects.order_by("hour_at")
    assert list(seen.values_list("label", "n_detections", "n_tracks", "peak")) == [
        (0, 4, 3, 2), (2, 1, 1, 1),
    ]  # fmt: skip


def test_late_data_in_any_order_leaves_hours_that_are_the_sums_of_their_minutes(
    camera: Camera, bundle: Bundle
) -> None:
    dice = Random(4)
    cameras, bundles = (
        (camera, make_camera(camera.agent)),
        (bundle, make_bundle(camera.organization)),
    )
    for first in range(1, 200, 20):
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
    keys = ("camera", "hour_at")
    minutes = CameraMinute.objects.annotate(hour_at=TruncHour("minute_at", tzinfo=UTC))
    sums = minutes.values_list(*keys).annotate(Sum("n_results")).order_by(*keys)
    assert list(CameraHour.objects.order_by(*keys).values_list(*keys, "n_results")) == list(sums)
    of_label = (*keys, "bundle", "label")
    of_labels = LabelMinute.objects.annotate(hour_at=TruncHour("minute_at", tzinfo=UTC))
    totals = of_labels.values_list(*of_label).annotate(
        Sum("n_detections"), Sum("n_tracks"), Max("peak")
    )
    kept = LabelHour.objects.values_list(*of_label, "n_detections", "n_tracks", "peak")
    assert list(kept.order_by(*of_label)) == list(totals.order_by(*of_label))
