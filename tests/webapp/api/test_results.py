"""Results and counts over HTTP: unpacked, narrowed by camera and time, in pages."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.factories import START, make_agent, make_camera, make_result, make_site
from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.results.models import CameraMinute, LabelMinute


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def test_it_works(operator: Client, camera: Camera, bundle: Bundle) -> None:
    make_result(camera, bundle)
    (found,) = operator.get("/api/v1/results/").json()["results"]
    assert found["camera"] == str(camera.id)
    assert found["captured_at"] == "2026-11-22T12:00:00Z"
    assert [box["label"] for box in found["boxes"]] == ["person", "car"]
    assert found["boxes"][0] == {
        "xyxy": pytest.approx([0.1, 0.2, 0.15, 0.6], abs=1e-4),
        "score": 0.9,
        "label": "person",
        "track": 1,
    }


def test_a_label_that_the_bundle_does_not_know_keeps_its_number(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    make_result(camera, bundle)
    bundle.labels = ["person"]
    bundle.save()
    (found,) = operator.get("/api/v1/results/").json()["results"]
    assert [box["label"] for box in found["boxes"]] == ["person", "class 2"]


def test_filters_narrow_by_camera_and_time(
    operator: Client, camera: Camera, agent: Agent, bundle: Bundle
) -> None:
    other = make_camera(agent)
    for minute in range(5):
        make_result(camera, bundle, captured_at=START + timedelta(minutes=minute))
    make_result(other, bundle)
    assert len(operator.get(f"/api/v1/results/?camera={camera.id}").json()["results"]) == 5
    window = "from=2026-11-22T12:01:00Z&to=2026-11-22T12:03:00Z"
    found = operator.get(f"/api/v1/results/?{window}").json()["results"]
    assert [result["captured_at"][14:16] for result in found] == ["02", "01"]


def test_results_captured_at_the_same_time_are_paged_without_gaps(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    ids = {make_result(camera, bundle).id for _ in range(9)}
    found: set[int] = set()
    url = "/api/v1/results/?page_size=2"
    while url:
        page = operator.get(url).json()
        found |= {result["id"] for result in page["results"]}
        url = page["next"]
    assert found == ids


def test_strangers_see_nothing(
    client: Client, charlie: User, camera: Camera, bundle: Bundle
) -> None:
    result = make_result(camera, bundle)
    client.force_login(charlie)
    assert client.get("/api/v1/results/").json()["results"] == []
    assert client.get(f"/api/v1/results/{result.id}/").status_code == 404
    assert client.get("/api/v1/counts/").json() == {"counts": [], "frames": []}
    assert client.get(f"/api/v1/counts/?camera={camera.id}").json()["counts"] == []


def test_labelers_do_not_read_the_fleets_results(client: Client, bob: User) -> None:
    client.force_login(bob)
    assert client.get("/api/v1/results/").status_code == 403
    assert client.get("/api/v1/counts/").status_code == 403


def test_counts_are_summed_into_buckets(operator: Client, camera: Camera, bundle: Bundle) -> None:
    common = {"organization": camera.organization, "camera": camera}
    for minute in (0, 1, 59, 60):
        at = START + timedelta(minutes=minute)
        LabelMinute.objects.create(
            bundle=bundle, label=2, minute_at=at, n_detections=10, n_tracks=2, peak=minute, **common
        )
        CameraMinute.objects.create(minute_at=at, n_results=100, **common)
    window = "from=2026-11-22T12:00:00Z&to=2026-11-22T14:00:00Z"
    said = operator.get(f"/api/v1/counts/?bucket=hour&{window}").json()
    assert said["counts"][0] == {
        "camera": str(camera.id),
        "bucket_at": "2026-11-22T12:00:00Z",
        "label": "car",
        "n_tracks": 6,
        "n_detections": 30,
        "peak": 59,
    }
    assert [frames["n_results"] for frames in said["frames"]] == [300, 100]


def test_counts_are_of_the_last_hour_by_itself(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    for at in (now() - timedelta(minutes=5), now() - timedelta(hours=2)):
        CameraMinute.objects.create(
            organization=camera.organization, camera=camera, minute_at=at, n_results=1
        )
    assert len(operator.get("/api/v1/counts/").json()["frames"]) == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2020-01-01T00:00:00Z", "from"),
        ("from=0001-01-01T00:00:00Z", "from"),
        ("bucket=second", "bucket"),
        ("camera=1", "camera"),
        ("label=car", "label"),
        ("order_by=password", "order_by"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(
    operator: Client, query: str, field: str
) -> None:
    answer = operator.get(f"/api/v1/counts/?{query}")
    assert answer.status_code == 400
    assert field in answer.json()["errors"]


def test_a_camera_that_is_not_there_has_no_counts(operator: Client, charlie: User) -> None:
    theirs = make_camera(make_agent(make_site(charlie.organizations.get())))
    assert operator.get(f"/api/v1/counts/?camera={theirs.id}").json()["counts"] == []
