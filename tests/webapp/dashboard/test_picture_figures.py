"""What a camera's pictures are like is said in figures, and in words where it is bad."""

import pytest
from django.test import Client
from django.urls import reverse

from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.dashboard.image_quality import gated_share, image_figures
from webapp.fleet.models import Agent, Camera

GOOD = {"brightness": 0.45, "contrast": 0.2, "sharpness": 300.0, "noise": 2.0, "motion": 0.02}


def test_it_works(camera: Camera) -> None:
    camera.image = GOOD
    assert [(figure.name, figure.value, figure.trouble) for figure in image_figures(camera)] == [
        ("Brightness", "45%", ""),
        ("Contrast", "20%", ""),
        ("Sharpness", "300", ""),
        ("Noise", "2.0", ""),
        ("Moving", "2%", ""),
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"brightness": 0.01}, "dark"),
        ({"brightness": 0.99}, "glaring"),
        ({"contrast": 0.01}, "flat"),
        ({"sharpness": 3.0}, "focus"),
        ({"noise": 30.0}, "grainy"),
    ],
)
def test_what_is_bad_is_said_in_words(
    camera: Camera, changes: dict[str, float], words: str
) -> None:
    camera.image = GOOD | changes
    (trouble,) = [figure.trouble for figure in image_figures(camera) if figure.trouble]
    assert words in trouble


def test_before_a_report_there_are_no_figures(camera: Camera) -> None:
    assert image_figures(camera) == []


def test_the_gates_share_is_told_while_it_is_on(camera: Camera) -> None:
    camera.n_frames, camera.n_gated = 25, 75
    assert gated_share(camera) is None
    camera.policies = {"gate": {"is_on": True}}
    assert gated_share(camera) == 0.75
    camera.n_frames = camera.n_gated = 0
    assert gated_share(camera) == 0


def test_the_page_shows_both_while_the_camera_is_watched(
    client: Client, olga: User, camera: Camera
) -> None:
    camera.image, camera.policies = GOOD | {"sharpness": 3.0}, {"gate": {"is_on": True}}
    camera.n_frames, camera.n_gated, camera.state = 25, 75, Camera.State.ONLINE
    camera.save()
    Agent.objects.update(is_connected=True, last_seen_at=now())
    client.force_login(olga)
    page = client.get(reverse("camera_state", args=[camera.pk])).text
    assert "is it in focus" in page
    assert "75 % of frames" in page
    Agent.objects.update(is_connected=False)
    assert "is it in focus" not in client.get(reverse("camera_state", args=[camera.pk])).text
