"""The health page: every stage's lag, for what its reader operates."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from tests.factories import START, make_result
from tests.webapp.inference.reporting import make_report
from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.dashboard.health import Disk, Stage, read_health
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.gateway.ingest.figures import RECENT_ACKS
from webapp.inference.reports import take_report
from webapp.jobs.actions import enqueue_job
from webapp.jobs.models import Worker


@pytest.fixture(autouse=True)
def no_recent_acks() -> None:
    RECENT_ACKS.clear()


def stages(user: User) -> dict[str, Stage]:
    return {stage.name: stage for stage in read_health(user, at=START).stages}


def test_it_works(client: Client, camera: Camera, bundle: Bundle, olga: User) -> None:
    at = now()
    Worker.objects.create(started_at=at, seen_at=at)
    enqueue_job(kind="test", arguments={}, organization=camera.organization, by=olga, at=at)
    make_result(camera, bundle, captured_at=at, received_at=at, latency_ms=40.0)
    client.force_login(olga)
    page = client.get("/health/")
    assert page.status_code == 200
    assert "40 ms" in page.text
    part = client.get("/health/_figures/")
    assert "From camera to browser" in part.text
    assert "<html" not in part.text
    assert client.get("/health/_ping/").text == "ok"


@pytest.mark.parametrize(
    ("n_pending", "words"),
    [(1, "1 entry is kept by an agent and on its way."), (2, "2 entries are kept by agents")],
)
def test_what_is_still_on_agents_is_said(
    client: Client, agent: Agent, olga: User, n_pending: int, words: str
) -> None:
    agent.n_pending = n_pending
    agent.save()
    client.force_login(olga)
    assert words in client.get("/health/_figures/").text


def test_each_stage_says_what_it_adds(camera: Camera, bundle: Bundle, olga: User) -> None:
    for seconds in (1, 2, 3):
        captured_at = START - timedelta(seconds=60 + seconds)
        make_result(
            camera, bundle, captured_at=captured_at, latency_ms=400.0,
            received_at=captured_at + timedelta(seconds=0.4 + seconds),
        )  # fmt: skip
    RECENT_ACKS.extend([0.01] * 19 + [4.0] * 2)
    found = stages(olga)
    assert (found["Agent"].figure, found["Agent"].level) == ("400 ms", "warn")
    assert (found["Wire"].figure, found["Wire"].level) == ("2.0 s", "warn")
    assert (found["Commit"].figure, found["Commit"].level) == ("4.0 s", "err")


def test_what_nobody_measured_is_not_told_as_well(
    camera: Camera, bundle: Bundle, olga: User, charlie: User
) -> None:
    make_result(camera, bundle, captured_at=START, received_at=START)
    assert stages(olga)["Agent"].level == "ok"
    assert {stages(charlie)[name].level for name in ("Agent", "Wire", "Commit")} == {"idle"}


def test_jobs_are_those_of_ones_organizations(camera: Camera, olga: User, charlie: User) -> None:
    enqueue_job(kind="t", arguments={}, organization=camera.organization, by=olga, at=START)
    later = START + timedelta(seconds=90)
    mine, theirs = (read_health(user, at=later).jobs for user in (olga, charlie))
    assert (mine.n_waiting, mine.oldest_s) == (1, 90.0)
    assert (theirs.n_waiting, theirs.oldest_s) == (0, None)


@pytest.mark.parametrize(("free", "level"), [(50, "ok"), (9, "warn"), (2, "err"), (0, "err")])
def test_a_disk_that_fills_is_told_in_time(free: int, level: str) -> None:
    assert Disk(free, 100).level == level


def test_it_shows_the_tier_where_there_is_to_be_one(
    client: Client, olga: User, settings: Settings
) -> None:
    client.force_login(olga)
    assert "Inference tier" not in client.get("/health/_figures/").text
    settings.TIER_URL = "http://127.0.0.1:8100"
    assert "It has not reported yet." in client.get("/health/_figures/").text
    take_report(make_report(), at=now() - timedelta(minutes=5))
    assert "away, last heard of" in client.get("/health/_figures/").text
    take_report(make_report(), at=now())
    assert "heard of 0 s ago" in client.get("/health/_figures/").text
