"""Setting a camera: what is wrong is said beside the field, what is right reaches the agent."""

from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import make_camera
from webapp.accounts.models import User
from webapp.fleet.models import Agent, Camera

GOOD = {
    "name": "Gate",
    "source": "rtsp://10.0.0.4/main",
    "analysed_fps": "5",
    "score_threshold": "0.5",
    "labels": "person, car, person",
    "is_enabled": "on",
}


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def test_it_works(admin: Client, camera: Camera) -> None:
    before = camera.agent.desired_version
    answer = admin.post(reverse("camera_settings", args=[camera.pk]), GOOD)
    assert answer.headers["Location"] == reverse("camera", args=[camera.pk])
    camera.refresh_from_db()
    camera.agent.refresh_from_db()
    assert (camera.source, camera.analysed_fps) == ("rtsp://10.0.0.4/main", 5.0)
    assert camera.labels == ["person", "car"]
    assert camera.agent.desired_version == before + 1


def test_the_form_shows_what_is_set(admin: Client, camera: Camera) -> None:
    page = admin.get(reverse("camera_settings", args=[camera.pk]))
    assert page.status_code == 200
    assert f'value="{camera.source}"' in page.text


def test_a_new_camera_belongs_to_the_agents_organization(admin: Client, agent: Agent) -> None:
    admin.post(reverse("camera_new", args=[agent.pk]), GOOD)
    made = Camera.objects.get(agent=agent)
    assert made.organization_id == agent.organization_id


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("source", "javascript:alert(1)", "rtsp://"),
        ("source", "file:../../etc/passwd", "file:NAME"),
        ("source", "", "required"),
        ("name", "n" * 201, "200"),
        ("analysed_fps", "0", "0.1"),
        ("analysed_fps", "999", "30"),
        ("analysed_fps", "nan", "number"),
        ("score_threshold", "1.5", "1"),
        ("labels", ",".join(f"c{i}" for i in range(5000)), "at most"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_changed(
    admin: Client, camera: Camera, field: str, value: str, words: str
) -> None:
    before = camera.agent.desired_version
    answer = admin.post(reverse("camera_settings", args=[camera.pk]), GOOD | {field: value})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert f'id="id_{field}_error"' in answer.text
    assert words in answer.text
    camera.agent.refresh_from_db()
    assert camera.agent.desired_version == before


def test_two_cameras_of_one_agent_have_two_names(admin: Client, camera: Camera) -> None:
    make_camera(camera.agent, name="Taken")
    answer = admin.post(reverse("camera_settings", args=[camera.pk]), GOOD | {"name": "Taken"})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "already exists" in answer.text


def test_an_operator_may_look_but_not_set(client: Client, olga: User, camera: Camera) -> None:
    client.force_login(olga)
    page = client.get(reverse("camera", args=[camera.pk]))
    assert page.status_code == 200
    assert reverse("camera_settings", args=[camera.pk]) not in page.text
    answer = client.post(reverse("camera_settings", args=[camera.pk]), GOOD)
    assert answer.status_code == HTTPStatus.FORBIDDEN
