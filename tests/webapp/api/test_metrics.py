"""`/metrics`: true figures, for this machine or for whoever has the token."""

import socket
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.test import Client
from prometheus_client import start_http_server
from prometheus_client.parser import text_string_to_metric_families
from pytest_django.fixtures import Settings

from processing.wire.messages import Result, ResultBatch
from tests.factories import START, make_result
from webapp.accounts.models import User
from webapp.api import figures
from webapp.common.clock import now
from webapp.common.metrics import REGISTRY
from webapp.fleet.models import Bundle, Camera
from webapp.gateway.ingest.figures import RECENT_ACKS, count_stored
from webapp.jobs.actions import enqueue_job
from webapp.jobs.models import Worker

TOKEN = "a token of a test"


def read(client: Client, **headers: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_it_works(client: Client, camera: Camera, bundle: Bundle, olga: User) -> None:
    at = now()
    enqueue_job(kind="test", arguments={}, organization=camera.organization, by=olga, at=at)
    Worker.objects.create(started_at=at, seen_at=at)
    make_result(camera, bundle, captured_at=START)
    found = read(client)

    def figure(name: str, **labels: str) -> float:
        return found[name, frozenset(labels.items())]

    assert figure("farwatch_database_up") == 1
    assert figure("farwatch_jobs", kind="test", state="waiting") == 1
    assert figure("farwatch_job_oldest_waiting_seconds", kind="test") >= 0
    assert figure("farwatch_workers") == 1
    assert figure("farwatch_agents", state="offline") == 1
    assert figure("farwatch_cameras", state="unknown") == 1
    assert figure("farwatch_newest_result_age_seconds") > 0
    assert figure("farwatch_disk_free_bytes") > 0
    assert figure("process_resident_memory_bytes") > 1_000_000
    assert figure("process_cpu_seconds_total") > 0


def test_no_label_holds_a_name_of_anybody(client: Client, camera: Camera, bundle: Bundle) -> None:
    make_result(camera, bundle)
    text = client.get("/metrics").text
    for name in (camera.name, camera.agent.name, camera.organization.name, str(camera.pk)):
        assert f'"{name}"' not in text


def test_while_the_database_is_away_that_is_what_it_says(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> list[object]:
        raise DatabaseError("gone")

    monkeypatch.setattr(figures, "_of_jobs", away)
    found = read(client)
    assert found["farwatch_database_up", frozenset()] == 0
    assert found["farwatch_database_errors_total", frozenset({("where", "metrics")})] >= 1


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.0.0.7", {}, 401),
        ("", {}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.7"}, 401),
        ("127.0.0.1", {"Forwarded": "for=10.0.0.7"}, 401),
        ("10.0.0.7", {"Authorization": f"Bearer {TOKEN}"}, 200),
        ("10.0.0.7", {"Authorization": f"bearer  {TOKEN}"}, 200),
        ("10.0.0.7", {"Authorization": "Bearer another"}, 401),
        ("10.0.0.7", {"Authorization": f"Basic {TOKEN}"}, 401),
        ("10.0.0.7", {"Authorization": "Bearer \N{SNOWMAN}"}, 401),
    ],
)
def test_who_may_ask(
    db: None, settings: Settings, address: str, headers: dict[str, str], status: int
) -> None:
    settings.METRICS_TOKEN = TOKEN
    client = Client(REMOTE_ADDR=address)
    assert client.get("/metrics", headers=headers).status_code == status


@pytest.mark.parametrize("given", ["Bearer ", "Bearer", ""])
def test_without_a_token_none_is_right(db: None, settings: Settings, given: str) -> None:
    settings.METRICS_TOKEN = ""
    client = Client(REMOTE_ADDR="10.0.0.7")
    answer = client.get("/metrics", headers={"Authorization": given})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_delivery_is_counted_by_its_lane() -> None:
    def count(name: str) -> float:
        return REGISTRY.get_sample_value(name, {"lane": "results"}) or 0.0

    before = count("farwatch_entries_stored_total"), count("farwatch_lane_lag_seconds_sum")
    entries = tuple(
        Result(
            camera_id=uuid4(),
            captured_at=START + timedelta(seconds=n),
            bundle=b"0" * 16,
            detections=b"",
        )
        for n in range(3)
    )
    batch = ResultBatch(epoch=1, first_seq=1, entries=entries)
    received_at = START + timedelta(seconds=4)
    count_stored(batch, 3, received_at=received_at, at=received_at + timedelta(seconds=0.25))
    assert count("farwatch_entries_stored_total") - before[0] == 3
    assert count("farwatch_lane_lag_seconds_sum") - before[1] == pytest.approx(2.25)
    assert RECENT_ACKS[-1] == 0.25


def test_a_worker_serves_its_own(db: None) -> None:
    server, thread = start_http_server(0, addr="127.0.0.1", registry=REGISTRY)
    try:
        answer = httpx.get(f"http://127.0.0.1:{server.server_port}/metrics", trust_env=False)
        assert "process_resident_memory_bytes" in answer.text
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_workers_port_that_is_taken_is_told(db: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(CommandError, match="cannot listen on port"):
            call_command("work", "--metrics-port", port, "--until-idle")
