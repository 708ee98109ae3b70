"""Results and counts over HTTP: unpacked, narrowed by camera and time, in pages."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client

from tests.factories import START, make_agent, make_camera, make_result, make_site
from tests.rollups import enter, see, watch
from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.fleet.models import Agent, Bundle, Camera

GATE, YARD = UUID(int=1), UUID(int=2)


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
    assert client.get("/api/v1/zone-counts/").json() == {"counts": [], "frames": []}


def test_labelers_do_not_read_the_fleets_results(client: Client, bob: User) -> None:
    client.force_login(bob)
    assert client.get("/api/v1/results/").status_code == 403
    assert client.get("/api/v1/counts/").status_code == 403


def test_counts_are_summed_into_buckets(operator: Client, camera: Camera, bundle: Bundle) -> None:
    for minute in (0, 1, 59, 60):
        at = START + timedelta(minutes=minute)
        see(camera, bundle, 2, at, n=2, peak=minute)
        watch(camera, at, n_results=100)
    window = "from=2026-11-22T12:00:00Z&to=2026-11-22T14:00:00Z"
    said = operator.get(f"/api/v1/counts/?bucket=hour&{window}").json()
    assert said["counts"][0] == {
        "camera": str(camera.id),
        "bucket_at": "2026-11-22T12:00:00Z",
        "label": "car",
        "n_tracks": 6,
        "n_detections": 6,
        "peak": 59,
    }
    assert [frames["n_results"] for frames in said["frames"]] == [300, 100]


def test_an_hour_that_begins_before_the_range_is_whole_in_it(
    operator: Client, camera: Camera
) -> None:
    for minute in (5, 50):
        watch(camera, START + timedelta(minutes=minute), n_results=100)
    window = "from=2026-11-22T12:30:00Z&to=2026-11-22T14:00:00Z"
    for bucket, n_results in (("minute", [100]), ("hour", [200]), ("day", [200])):
        said = operator.get(f"/api/v1/counts/?bucket={bucket}&{window}").json()
        assert [frames["n_results"] for frames in said["frames"]] == n_results


def test_counts_of_one_class(operator: Client, camera: Camera, bundle: Bundle) -> None:
    for label in (0, 2):
        see(camera, bundle, label, START)
    window = "from=2026-11-22T12:00:00Z&to=2026-11-22T13:00:00Z"
    counts = operator.get(f"/api/v1/counts/?label=car&{window}").json()["counts"]
    assert [count["label"] for count in counts] == ["car"]


def test_zone_counts_are_by_zone_class_and_bucket(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    watch(camera, START, n_results=100)
    for minute, zone_id, label in ((0, GATE, 0), (1, GATE, 0), (2, GATE, 2), (3, YARD, 0)):
        enter(camera, bundle, zone_id, label, START + timedelta(minutes=minute), n=2)
    window = "from=2026-11-22T12:00:00Z&to=2026-11-22T14:00:00Z"
    said = operator.get(f"/api/v1/zone-counts/?bucket=hour&{window}").json()
    assert said["counts"][0] == {
        "camera": str(camera.id),
        "zone": str(GATE),
        "bucket_at": "2026-11-22T12:00:00Z",
        "label": "person",
        "n_tracks": 4,
    }
    assert [(each["zone"], each["label"]) for each in said["counts"][1:]] == [
        (str(GATE), "car"), (str(YARD), "person"),
    ]  # fmt: skip
    assert [frames["n_results"] for frames in said["frames"]] == [100]
    only = f"/api/v1/zone-counts/?bucket=minute&zone={GATE}&label=person&{window}"
    assert [each["n_tracks"] for each in operator.get(only).json()["counts"]] == [2, 2]


def test_counts_are_of_the_last_hour_by_itself(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    for at in (now() - timedelta(minutes=5), now() - timedelta(hours=2)):
        watch(camera, at)
    assert len(operator.get("/api/v1/counts/").json()["frames"]) == 1


@pytest.mark.parametrize("path", ["counts", "zone-counts"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2020-01-01T00:00:00Z", "from"),
        ("from=0001-01-01T00:00:00Z", "from"),
        ("to=0001-01-01T00:00:00Z", "from"),
        ("bucket=second", "bucket"),
        ("camera=1", "camera"),
        ("label=", "label"),
        ("zone=1", "zone"),
        ("order_by=password", "order_by"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(
    operator: Client, path: str, query: str, field: str
) -> None:
    answer = operator.get(f"/api/v1/{path}/?{query}")
    assert answer.status_code == 400
    assert field in answer.json()["errors"]


def test_a_camera_that_is_not_there_has_no_counts(operator: Client, charlie: User) -> None:
    theirs = make_camera(make_agent(make_site(charlie.organizations.get())))
    assert operator.get(f"/api/v1/counts/?camera={theirs.id}").json()["counts"] == []
