"""`GET /healthz` says whether the hub is ready, without a login."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django.fixtures import Settings

from processing.wire.version import VERSION
from tests.factories import START, make_result
from tests.webapp.inference.reporting import make_report
from webapp.api import health
from webapp.common.clock import now
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.inference.reports import take_report
from webapp.jobs.models import Worker


def test_it_works(client: Client, db: None) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    said = answer.json()
    assert said["status"] == "ok"
    assert (said["newest_result_at"], said["lag_s"], said["n_agents_online"]) == (None, None, 0)
    assert (said["n_agents_connected"], said["n_entries_waiting"]) == (0, 0)
    assert said["version"] == VERSION


def test_it_tells_how_far_behind_the_results_are(
    client: Client, camera: Camera, bundle: Bundle
) -> None:
    make_result(camera, bundle, received_at=START + timedelta(seconds=2.5))
    said = client.get("/healthz").json()
    assert said["lag_s"] == 2.5
    assert said["newest_result_at"] == "2026-11-22T12:00:00Z"


def test_it_counts_agents_that_were_heard_of_lately(client: Client, agent: Agent) -> None:
    agent.is_connected, agent.last_seen_at = True, now()
    agent.save()
    assert client.get("/healthz").json()["n_agents_online"] == 1
    agent.last_seen_at = now() - timedelta(minutes=5)
    agent.save()
    assert client.get("/healthz").json()["n_agents_online"] == 0


def test_it_tells_whether_a_worker_lives(client: Client, db: None) -> None:
    assert client.get("/healthz").json()["is_worker_alive"] is False
    Worker.objects.create(started_at=now(), seen_at=now())
    assert client.get("/healthz").json()["is_worker_alive"] is True


def test_it_tells_since_when_no_tier_was_heard_of(
    client: Client, settings: Settings, db: None
) -> None:
    take_report(make_report(), at=now() - timedelta(minutes=5))
    assert client.get("/healthz").json()["tier_lag_s"] is None  # this hub is to have none
    settings.TIER_URL = "http://127.0.0.1:8100"
    assert client.get("/healthz").json()["tier_lag_s"] >= 300
    take_report(make_report(), at=now())
    assert client.get("/healthz").json()["tier_lag_s"] < 300


def test_without_a_database_it_is_503_and_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    def away(**_: object) -> health.Readiness:
        raise OperationalError("connection refused to secret-host")

    monkeypatch.setattr(health, "read_readiness", away)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["reason"] == "the database does not answer"
    assert "secret-host" not in answer.content.decode()


def test_with_migrations_pending_it_is_503_and_says_what_to_do(
    client: Client, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    monkeypatch.setattr(health, "_migrated", [])
    monkeypatch.setattr(health, "has_pending_migrations", lambda: True)
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert "manage.py migrate" in answer.json()["reason"]
