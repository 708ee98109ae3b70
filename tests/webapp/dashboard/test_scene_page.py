"""The scene editor's page and what it may save."""

from http import HTTPStatus
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from processing.wire.scene import InZone, Rule, Scene, Zone
from tests.factories import START, make_bundle, make_sample
from webapp.accounts.models import User
from webapp.fleet.actions import update_camera
from webapp.fleet.drawing import Drawing
from webapp.fleet.models import Bundle, Camera
from webapp.fleet.wishes import plain
from webapp.results.models import LabelMinute

SQUARE = ((0.1, 0.1), (0.4, 0.1), (0.4, 0.5))
ZONE = Zone(zone_id=uuid4(), name="Door", polygon=SQUARE)
SCENE = Scene(
    zones=(ZONE,),
    rules=(Rule(rule_id=uuid4(), name="At the door", condition=InZone(zone_id=ZONE.zone_id)),),
)


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def post(client: Client, camera: Camera, drawing: Drawing | dict[str, Any]) -> Any:
    body = drawing if isinstance(drawing, dict) else plain(drawing)
    return client.post(
        reverse("camera_scene", args=[camera.pk]), body, content_type="application/json"
    )


def test_it_works(admin: Client, camera: Camera) -> None:
    answer = post(admin, camera, Drawing(revision=0, scene=SCENE, privacy_zones=(SQUARE,)))
    assert answer.status_code == HTTPStatus.OK, answer.content
    assert answer.json()["revision"] == 1
    camera.refresh_from_db()
    camera.agent.refresh_from_db()
    assert camera.desired().scene == SCENE
    assert camera.desired().privacy.zones == (SQUARE,)
    assert camera.agent.desired_version == 2
    first = admin.get(reverse("camera_scene", args=[camera.pk])).context["first"]
    assert first["drawing"]["scene"] == plain(SCENE)


def test_who_saves_second_gets_what_the_first_has_drawn(admin: Client, camera: Camera) -> None:
    post(admin, camera, Drawing(revision=0, scene=SCENE))
    answer = post(admin, camera, Drawing(revision=0))
    assert answer.status_code == HTTPStatus.CONFLICT
    assert answer.headers["Content-Type"] == "application/problem+json"
    theirs = answer.json()["drawing"]
    assert (theirs["revision"], theirs["scene"]) == (1, plain(SCENE))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scene": {"rules": plain(SCENE)["rules"]}}, "scene.rules.0.condition.zone_id"),
        ({"scene": {"zones": [plain(ZONE) | {"name": ""}]}}, "scene.zones.0.name"),
        ({"region": {"left": 0.5, "right": 0.51}}, "region.right"),
        ({"privacy_zones": [[[0, 0]]]}, "privacy_zones.0"),
        ({"revision": -1}, "revision"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_said_by_its_field(
    admin: Client, camera: Camera, changes: dict[str, object], field: str
) -> None:
    answer = post(admin, camera, plain(Drawing(revision=0)) | changes)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert list(answer.json()["errors"]) == [field]
    camera.agent.refresh_from_db()
    assert camera.agent.desired_version == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"\xff"', b"[" * 5000, b"1" * 600_000])
def test_what_is_no_drawing_is_refused(admin: Client, camera: Camera, body: bytes) -> None:
    answer = admin.post(
        reverse("camera_scene", args=[camera.pk]), body, content_type="application/json"
    )
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_an_operator_draws_but_unhides_nothing(client: Client, olga: User, camera: Camera) -> None:
    camera = update_camera(camera, at=START, policies={"privacy": {"zones": [SQUARE]}})
    client.force_login(olga)
    page = client.get(reverse("camera_scene", args=[camera.pk]))
    assert page.context["first"]["may_unhide"] is False
    kept = Drawing(revision=1, scene=SCENE, privacy_zones=(SQUARE,))
    assert post(client, camera, kept).status_code == HTTPStatus.OK
    answer = post(client, camera, Drawing(revision=2, scene=SCENE))
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "privacy_zones" in answer.json()["errors"]
    camera.refresh_from_db()
    assert camera.desired().privacy.zones == (SQUARE,)


def test_classes_that_are_seen_come_before_those_that_could_be(
    admin: Client, camera: Camera, bundle: Bundle
) -> None:
    make_bundle(camera.organization, labels=["car", "boat"])
    LabelMinute.objects.create(
        camera=camera, organization=camera.organization, bundle=bundle, minute_at=START,
        label=2, n_detections=9, n_tracks=3, peak=1,
    )  # fmt: skip
    page = admin.get(reverse("camera_scene", args=[camera.pk]))
    assert page.context["first"]["classes"][0] == "car"
    assert sorted(page.context["first"]["classes"]) == ["bicycle", "boat", "car", "person"]


def test_the_size_is_the_cameras_or_its_newest_pictures(
    admin: Client, camera: Camera, bundle: Bundle
) -> None:
    address = reverse("camera_scene", args=[camera.pk])
    assert admin.get(address).context["first"]["size"] == (1280, 720)
    sample = make_sample(camera, bundle)
    assert admin.get(address).context["first"]["size"] == (sample.width, sample.height)
    Camera.objects.update(width=640, height=272)
    assert admin.get(address).context["first"]["size"] == (640, 272)


def test_the_camera_page_has_the_drawing_once_there_is_one(admin: Client, camera: Camera) -> None:
    address = reverse("camera", args=[camera.pk])
    assert "data-scene-overlay" not in admin.get(address).text
    post(admin, camera, Drawing(revision=0, scene=SCENE))
    assert "data-scene-overlay" in admin.get(address).text
