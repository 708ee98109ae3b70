"""Results are narrowed by class and by zone, in the table and in old days alike."""

import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import numpy as np
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from processing.rules.polygon import inside
from processing.wire.packed import PackedDetection, pack
from processing.wire.scene import Scene, Zone
from tests.factories import (
    START,
    make_agent,
    make_bundle,
    make_camera,
    make_detections,
    make_result,
    make_site,
)
from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.common.keeping import forget_old
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.fleet.wishes import plain
from webapp.results import search
from webapp.results.actions import store_results
from webapp.results.arrivals import NewResult, NewResults
from webapp.results.folding import fold
from webapp.results.models import CameraHour, LabelDay, LabelHour, Result
from webapp.results.sought import is_inside

pytestmark = pytest.mark.django_db
URL = "/api/v1/results/"
LEFT = UUID(int=1)
_seqs = count(1)
HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


@pytest.fixture(autouse=True)
def own_folder(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.ARCHIVE_AFTER_DAYS = 2


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def see(
    camera: Camera,
    bundle: Bundle,
    *labels: int,
    after: timedelta = timedelta(0),
    detections: bytes | None = None,
) -> None:
    """Have a result, and its classes in the counts."""
    result = NewResult(
        seq=next(_seqs),
        camera=camera.id.hex,
        bundle=bundle.id.hex,
        captured_at=START + after,
        latency_ms=40.0,
        detections=make_detections(*labels) if detections is None else detections,
        n_started=(),
    )
    organization, agent = camera.organization_id.hex, camera.agent_id.hex
    store_results([NewResults(organization, agent, 1, START, [result])])


def scattered(cameras: list[Camera], bundle: Bundle, *, seed: int) -> None:
    """Results of four days, many of the same instant, some with nothing in them."""
    chance = random.Random(seed)
    for _ in range(80):
        after = timedelta(days=chance.randrange(4), hours=chance.choice([0, 0, 5, 12]))
        labels = chance.choices([0, 1, 2], k=chance.randrange(4))
        see(chance.choice(cameras), bundle, *labels, after=after)


def forget() -> None:
    """Have old days leave the table for their files."""
    assert sum(gone.n_rows for gone in forget_old(START + timedelta(days=9))) > 0


def pages(client: Client, **asked: object) -> Iterator[dict[str, Any]]:
    url: str | None = f"{URL}?{urlencode(asked)}"
    while url:
        response = client.get(url)
        assert response.status_code == 200, response.content
        page: dict[str, Any] = response.json()
        yield page
        url = page["next"]


def listed(client: Client, **asked: object) -> list[dict[str, Any]]:
    return [row for page in pages(client, **asked) for row in page["results"]]


def draw(camera: Camera, *, zone_id: UUID = LEFT) -> None:
    """Give a camera a zone: the left half of its picture."""
    camera.scene = plain(Scene(zones=(Zone(zone_id=zone_id, name="Left", polygon=HALF),)))
    camera.save()


def standing_at(x: float, label: int = 0) -> bytes:
    return pack([PackedDetection(x - 0.05, 0.2, x + 0.05, 0.6, 0.9, label, 1)])


def test_it_works(operator: Client, camera: Camera, bundle: Bundle) -> None:
    for n, labels in enumerate([(0,), (0, 2), (), (2, 2), (1,)]):
        see(camera, bundle, *labels, after=timedelta(seconds=n))
    found = listed(operator, label="car")
    assert [[box["label"] for box in row["boxes"]] for row in found] == [
        ["car", "car"], ["person", "car"],
    ]  # fmt: skip
    assert listed(operator, label="giraffe") == []


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("page_size", [3, 500])
def test_a_class_is_found_wherever_it_is_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
    operator: Client,
    agent: Agent,
    bundle: Bundle,
    seed: int,
    page_size: int,
) -> None:
    cameras = [make_camera(agent) for _ in range(2)]
    scattered(cameras, bundle, seed=seed)
    asked: dict[str, Any] = {"page_size": page_size}
    for narrowed in ({}, {"camera": cameras[0].pk}, {"to": "2026-11-24T12:00:00Z"}):
        everything = listed(operator, **asked, **narrowed)
        cars = [row for row in everything if "car" in {box["label"] for box in row["boxes"]}]
        assert 0 < len(cars) < len(everything)
        assert listed(operator, label="car", **asked, **narrowed) == cars
        monkeypatch.setattr(search, "AT_ONCE", 2)
        assert listed(operator, label="car", **asked, **narrowed) == cars


def test_old_days_are_searched_as_the_table_was(
    operator: Client, agent: Agent, bundle: Bundle
) -> None:
    cameras = [make_camera(agent) for _ in range(2)]
    scattered(cameras, bundle, seed=5)
    draw(cameras[0])
    asked: list[dict[str, Any]] = [
        {"label": "car"}, {"zone": LEFT}, {"zone": LEFT, "label": "person"},
    ]  # fmt: skip
    before = [listed(operator, **each) for each in asked]
    n_rows = Result.objects.count()
    forget()
    assert 0 < Result.objects.count() < n_rows
    assert [listed(operator, page_size=4, **each) for each in asked] == before


def test_pages_go_back_and_forth(operator: Client, camera: Camera, bundle: Bundle) -> None:
    scattered([camera], bundle, seed=7)
    there = list(pages(operator, label="car", page_size=5))
    assert len(there) > 3
    back, url = [there[-1]["results"]], there[-1]["previous"]
    while url:
        page = operator.get(url).json()
        back.append(page["results"])
        url = page["previous"]
    assert back[::-1] == [page["results"] for page in there]


def test_a_search_that_takes_long_says_how_far_it_came_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, operator: Client, camera: Camera, bundle: Bundle
) -> None:
    scattered([camera], bundle, seed=3)
    whole = listed(operator, label="car")
    monkeypatch.setattr(search, "LONGEST_S", 0.0)
    monkeypatch.setattr(search, "AT_ONCE", 3)
    there = list(pages(operator, label="car"))
    assert [row for page in there for row in page["results"]] == whole
    assert [] in [page["results"] for page in there]
    *cut, last = [page["searched_to"] for page in there]
    assert cut == sorted(cut, reverse=True)
    assert (cut[0] is None, last is None) == (False, True)
    back, url = [], there[-1]["previous"]
    while url:
        page = operator.get(url).json()
        back += page["results"][::-1]
        url = page["previous"]
    assert [*back[::-1], *there[-1]["results"]] == whole


def test_hours_without_the_class_are_not_read(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    see(camera, bundle, 0)
    make_result(camera, bundle, captured_at=START + timedelta(hours=1))
    assert [row["captured_at"][11:13] for row in listed(operator, label="person")] == ["12"]


def test_once_hours_are_forgotten_all_is_read(
    settings: Settings, operator: Client, camera: Camera, bundle: Bundle
) -> None:
    make_result(camera, bundle, captured_at=now() - timedelta(days=20))
    assert listed(operator, label="person") == []
    settings.KEEP_DAYS = settings.KEEP_DAYS | {"hours": 10}
    assert len(listed(operator, label="person")) == 1


def test_what_was_forgotten_is_read_also_when_hours_are_kept_longer_since(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    for n_days in (-6, -5, -1):
        see(camera, bundle, 0, after=timedelta(days=n_days))
    list(fold(START))
    for table, begins_at in ((CameraHour, "hour_at"), (LabelHour, "hour_at"), (LabelDay, "day_at")):
        table.objects.filter(**{f"{begins_at}__lt": START - timedelta(days=4.9)}).delete()
    assert len(listed(operator, label="person")) == 3


def test_classes_are_called_as_in_the_counts(
    operator: Client, camera: Camera, bundle: Bundle
) -> None:
    other = make_bundle(camera.organization, labels=["car", "person"])
    see(camera, bundle, 2)
    see(camera, other, 0, after=timedelta(seconds=1))
    see(camera, other, 2, after=timedelta(seconds=2))
    assert [row["bundle"] for row in listed(operator, label="car")] == [
        str(other.pk), str(bundle.pk),
    ]  # fmt: skip
    (unknown,) = listed(operator, label="class 2")
    assert unknown["boxes"][0]["label"] == "class 2"


def test_a_thing_is_in_a_zone_when_the_foot_of_its_box_is(
    operator: Client, agent: Agent, camera: Camera, bundle: Bundle
) -> None:
    draw(camera)
    other = make_camera(agent)
    for n, x in enumerate((0.2, 0.49, 0.51, 0.8)):
        see(camera, bundle, 0, after=timedelta(seconds=n), detections=standing_at(x))
        see(other, bundle, 0, after=timedelta(seconds=n), detections=standing_at(x))
    see(camera, bundle, 2, after=timedelta(seconds=5), detections=standing_at(0.3, label=2))
    both = standing_at(0.8, label=2) + standing_at(0.2)
    see(camera, bundle, 0, 2, after=timedelta(seconds=6), detections=both)
    found = listed(operator, zone=LEFT)
    assert [row["captured_at"][17:19] for row in found] == ["06", "05", "01", "00"]
    assert {row["camera"] for row in found} == {str(camera.pk)}
    cars = listed(operator, zone=LEFT, label="car")
    assert [row["captured_at"][17:19] for row in cars] == ["05"]
    assert listed(operator, zone=LEFT, camera=camera.pk) == found


def test_a_zone_that_is_not_drawn_cannot_be_asked_for(
    operator: Client, charlie: User, camera: Camera, agent: Agent
) -> None:
    theirs = make_camera(make_agent(make_site(charlie.organizations.get())))
    draw(theirs)
    draw(camera, zone_id=UUID(int=2))
    queries = (f"zone={LEFT}", f"zone={UUID(int=2)}&camera={make_camera(agent).pk}", "zone=1")
    for query in queries:
        answer = operator.get(f"{URL}?{query}")
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == ["zone"]


def test_strangers_find_nothing(
    client: Client, charlie: User, camera: Camera, bundle: Bundle
) -> None:
    see(camera, bundle, 0)
    client.force_login(charlie)
    assert listed(client, label="person") == listed(client, label="person", camera=camera.pk) == []


points = st.floats(0, 1) | st.sampled_from([0.0, 0.25, 0.5, 1.0])


@given(
    st.lists(st.tuples(points, points), min_size=3, max_size=12),
    st.lists(st.tuples(points, points), min_size=1, max_size=20),
)
def test_a_zone_holds_here_what_it_holds_at_the_agent(
    polygon: list[tuple[float, float]], feet: list[tuple[float, float]]
) -> None:
    clipped = np.clip(np.array(feet), 1e-4, 1 - 1e-4)
    expected = inside(clipped, np.array(polygon)).tolist()
    assert [is_inside(tuple(polygon), x, y) for x, y in feet] == expected
