"""What agents count of the cloud becomes hours: each frame once, whatever is said twice."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from processing.wire.messages import (
    CameraState,
    StateReport,
)
from processing.wire.overflow import OverflowState
from tests.factories import START, make_agent, make_camera, make_organization, make_site
from webapp.fleet.models import Camera
from webapp.monitoring.metering import FIGURES, Metered, fold_overflow, metered_in
from webapp.monitoring.models import OverflowHour, OverflowMeter

pytestmark = pytest.mark.django_db


def say(
    camera: Camera, *, at: datetime = START, since_at: datetime = START, **figures: Any
) -> None:
    state = OverflowState(since_at=since_at, **figures)
    fold_overflow([Metered(camera.organization_id, camera.pk, state, at)])


def counted(camera: Camera, name: str = "n_cloud") -> list[int]:
    hours = OverflowHour.objects.filter(camera=camera).order_by("begins_at")
    return list(hours.values_list(name, flat=True))


def test_it_works(camera: Camera) -> None:
    say(camera, n_cloud=3, n_local=10, n_bytes=5000, micros=6000, reason="the cloud is away")
    say(camera, n_cloud=5, n_local=10, at=START + timedelta(minutes=59))
    say(camera, n_cloud=9, n_local=11, at=START + timedelta(minutes=60))
    assert counted(camera) == [5, 4]
    assert counted(camera, "n_local") == [10, 1]
    assert counted(camera, "n_bytes") == [5000, 0]
    meter = OverflowMeter.objects.get()
    assert (meter.counts["n_cloud"], meter.reason) == (9, "")
    assert meter.organization == camera.organization


def test_what_is_said_twice_is_counted_once(camera: Camera) -> None:
    for _ in range(3):
        say(camera, n_cloud=3)
    assert counted(camera) == [3]


def test_an_agent_that_began_to_count_anew_is_believed(camera: Camera) -> None:
    say(camera, n_cloud=3)
    say(camera, n_cloud=2, since_at=START + timedelta(minutes=1))
    assert counted(camera) == [5]


def test_an_older_report_takes_nothing_back(camera: Camera) -> None:
    say(camera, n_cloud=7)
    say(camera, n_cloud=3)
    say(camera, n_cloud=8)
    assert counted(camera) == [8]


def test_what_no_camera_can_have_done_breaks_nothing(camera: Camera) -> None:
    for n in range(1, 4):
        say(camera, n_bytes=2**63 - 1, since_at=START + timedelta(minutes=n))
    assert counted(camera, "n_bytes") == [3 * 10**13]


def test_only_the_agents_own_cameras_are_counted(camera: Camera) -> None:
    states = tuple(
        CameraState(
            camera_id=each.pk,
            state="online",
            since_at=START,
            overflow=OverflowState(since_at=START, n_cloud=1),
        )
        for each in (camera, make_camera(make_agent(camera.agent.site)))
    )
    report = StateReport(at=START, desired_version=1, cameras=states)
    metered = list(metered_in(camera.agent, report, {camera.pk.int}, at=START))
    assert [each.camera_id for each in metered] == [camera.pk]


class AnyReports(TestCase):
    @given(seed=st.integers(0, 2**32))
    def test_hours_add_up_to_what_was_counted(self, seed: int) -> None:
        dice = Random(seed)
        camera = make_camera(make_agent(make_site(make_organization())))
        total = dict.fromkeys(FIGURES, 0)
        life, counts, at = START, dict.fromkeys(FIGURES, 0), START
        for _ in range(dice.randrange(1, 12)):
            if dice.random() < 0.2:
                life, counts = life + timedelta(seconds=1), dict.fromkeys(FIGURES, 0)
            for name in FIGURES:
                n = dice.randrange(5)
                counts[name] += n
                total[name] += n
            for _ in range(dice.randrange(1, 3)):
                say(camera, at=at, since_at=life, **counts)
            at += timedelta(minutes=dice.randrange(120))
        assert {name: sum(counted(camera, name)) for name in FIGURES} == total
