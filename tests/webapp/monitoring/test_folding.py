"""What frames were like becomes minutes and hours, whatever comes when."""

from datetime import timedelta
from random import Random

import pytest

from processing.wire.messages import FrameFeatures
from tests.factories import START, make_camera
from webapp.fleet.models import Camera
from webapp.monitoring.folding import Measured, fold_features, is_plausible
from webapp.monitoring.models import FEATURES, FeatureHour, FeatureMinute
from webapp.monitoring.sketches import Sketch

pytestmark = pytest.mark.django_db


def frame(camera: Camera, *, after_s: float, brightness: float = 0.5) -> Measured:
    features = FrameFeatures(brightness, 0.2, 120.0, 2.5, 0.01)
    at = START + timedelta(seconds=after_s)
    return Measured(camera.organization_id.hex, camera.id.hex, at, features)


def tables() -> list[list[tuple[object, ...]]]:
    return [
        [
            (camera, begins_at, n, *map(bytes, sketches))
            for camera, begins_at, n, *sketches in model.objects.order_by(
                "camera", "begins_at"
            ).values_list("camera", "begins_at", "n_frames", *FEATURES)
        ]
        for model in (FeatureMinute, FeatureHour)
    ]


def test_it_works(camera: Camera) -> None:
    fold_features([frame(camera, after_s=1, brightness=0.2), frame(camera, after_s=59)])
    fold_features([frame(camera, after_s=30, brightness=0.4), frame(camera, after_s=60)])
    first, second = FeatureMinute.objects.order_by("begins_at")
    sketch = Sketch.decode(bytes(first.brightness))
    assert (sketch.n, sketch.minimum, sketch.maximum) == (3, 0.2, 0.5)
    assert (first.begins_at, first.n_frames, second.n_frames) == (START, 3, 1)
    hour = FeatureHour.objects.get()
    assert (hour.begins_at, hour.n_frames, hour.organization) == (START, 4, camera.organization)


def test_any_order_and_any_groups_end_in_the_same_tables(camera: Camera) -> None:
    dice = Random(7)
    cameras = (camera, make_camera(camera.agent))
    frames = [
        frame(dice.choice(cameras), after_s=dice.uniform(-4000, 4000), brightness=dice.random())
        for _ in range(90)
    ]
    fold_features(frames)
    at_once = tables()
    for model in (FeatureMinute, FeatureHour):
        model.objects.all().delete()
    dice.shuffle(frames)
    while frames:
        n = dice.randrange(1, 12)
        fold_features(frames[:n])
        del frames[:n]
    assert tables() == at_once


def test_no_frames_no_rows() -> None:
    fold_features([])
    assert not FeatureMinute.objects.exists()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e30])
def test_figures_that_no_picture_has_are_told_apart(bad: float) -> None:
    assert is_plausible(FrameFeatures(0.5, 0.2, 120.0, 2.5, 0.01))
    assert not is_plausible(FrameFeatures(0.5, 0.2, bad, 2.5, 0.01))
