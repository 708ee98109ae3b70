"""Where a camera's frames were judged, as its page shows it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from processing.wire.camera import OverflowPolicy
from processing.wire.overflow import OverflowState
from tests.factories import START
from webapp.accounts.models import User
from webapp.dashboard.overflow import has_overflow, overflow_chart, overflow_facts
from webapp.fleet.actions import update_camera
from webapp.fleet.models import Camera
from webapp.monitoring.metering import Metered, fold_overflow

pytestmark = pytest.mark.django_db
NOON = START


@pytest.fixture
def overflowing(camera: Camera, settings: Any) -> Camera:
    settings.TIER_URL = "http://127.0.0.1:9000"
    policy = {"mode": "saturated", "mb_per_day": 10, "money_per_day": 0.5}
    camera = update_camera(camera, at=START, policies={"overflow": policy})
    agent = camera.agent
    agent.is_connected, agent.last_seen_at = True, START
    agent.save()
    return camera


def say(camera: Camera, *, hours_ago: float = 0, **figures: Any) -> None:
    """Have an agent's counts of an hour folded in."""
    at = START - timedelta(hours=hours_ago)
    state = OverflowState(since_at=at, **figures)
    fold_overflow([Metered(camera.organization_id, camera.pk, state, at)])


def test_it_works(overflowing: Camera) -> None:
    say(overflowing, hours_ago=3, n_local=5, n_cloud=4, n_saturated=7, n_refused=1, n_failed=2)
    say(overflowing, n_local=1, n_late=3, n_bytes=4_000_000, micros=100_000)
    chart = overflow_chart(overflowing, span="24h", at=START)
    rows = {each.label: each for each in chart.series}
    assert {label: row.total for label, row in rows.items()} == {
        "here": 6, "cloud": 4, "refused": 3, "late": 3,
    }  # fmt: skip
    assert (len(chart.times), chart.step_s) == (24, 3600)
    assert rows["here"].values[-4:] == [5, 0, 0, 1]
    assert chart.n_bytes[-1] == 4_000_000


@pytest.mark.parametrize(("span", "n"), [("24h", 24), ("7d", 168), ("30d", 30)])
def test_every_span_tells_the_same(overflowing: Camera, span: str, n: int) -> None:
    say(overflowing, hours_ago=1, n_cloud=4)
    chart = overflow_chart(overflowing, span=span, at=START)  # type: ignore[arg-type]  # the table
    assert len(chart.times) == n
    assert sum(row.total for row in chart.series) == 4


def test_the_facts_are_of_today(overflowing: Camera) -> None:
    say(overflowing, hours_ago=30, n_cloud=100, n_saturated=100, n_bytes=9_000_000)
    say(overflowing, n_cloud=2, n_saturated=2, n_local=3, n_bytes=2_500_000, micros=250_000)
    facts = overflow_facts(overflowing, at=START)
    assert (facts.n_today, facts.n_here_today, facts.reason) == (2, 3, "")
    assert facts.whys == [("the agent had no time", 2)]
    assert [(each.words, each.percent) for each in facts.spent] == [
        ("2.5 of 10.0 MB", 25), ("0.25 of 0.50", 50),
    ]  # fmt: skip


def test_why_it_is_not_used_is_said_in_words(overflowing: Camera, settings: Any) -> None:
    def reason() -> str:
        return overflow_facts(overflowing, at=START).reason

    assert "has not said" in reason()
    say(overflowing, reason="the cloud cannot be reached (ConnectError)")
    assert reason() == "The cloud cannot be reached (ConnectError)."
    say(overflowing, reason="the cloud asks to wait: Come back later.")
    assert reason() == "The cloud asks to wait: Come back later."
    agent = overflowing.agent
    agent.is_connected = False
    assert "offline" in reason()
    settings.TIER_URL = ""
    assert "no inference tier" in reason()


def test_a_camera_that_hides_faces_says_so(overflowing: Camera) -> None:
    hidden = update_camera(overflowing, at=START, policies={"privacy": {"hides_faces": True}})
    assert "Faces are hidden" in overflow_facts(hidden, at=START).reason


def test_the_panel_is_there_for_cameras_that_use_the_cloud(
    client: Client, olga: User, overflowing: Camera
) -> None:
    client.force_login(olga)
    address = reverse("camera", args=[overflowing.pk])
    assert "data-overflow-chart" in client.get(address).text
    part = client.get(reverse("camera_overflow_facts", args=[overflowing.pk]))
    assert "Those that the agent has no time for" in part.text
    update_camera(overflowing, at=START, policies={"overflow": {"mode": "off"}})
    assert "data-overflow-chart" not in client.get(address).text


def test_what_was_is_shown_after_it_was_switched_off(camera: Camera) -> None:
    assert not has_overflow(camera)
    say(camera, n_cloud=1)
    assert has_overflow(camera)


def test_a_span_that_there_is_not_is_refused_by_name(
    client: Client, olga: User, camera: Camera
) -> None:
    client.force_login(olga)
    answer = client.get(reverse("camera_overflow", args=[camera.pk]) + "?span=1h")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert "span" in answer.json()["errors"]


def test_the_form_sets_what_the_agent_is_told(client: Client, alice: User, camera: Camera) -> None:
    client.force_login(alice)
    sent = {
        "name": "Gate",
        "source": "rtsp://10.0.0.4/main",
        "analysed_fps": "5",
        "score_threshold": "0.5",
        "is_enabled": "on",
        "overflow-mode": "doubtful",
        "overflow-budget_ms": "700",
        "overflow-mb_per_day": "",
        "overflow-money_per_day": "2.5",
        "overflow-model": "Not A Name",
    }
    address = reverse("camera_settings", args=[camera.pk])
    refused = client.post(address, sent)
    assert refused.status_code == 422
    assert 'id="overflow" open' in refused.text
    client.post(address, sent | {"overflow-model": "street"})
    camera.refresh_from_db()
    assert camera.desired().overflow == OverflowPolicy(
        mode="doubtful", budget_ms=700.0, money_per_day=2.5, model="street"
    )
