"""The main navigation says where one is, also on the pages that it does not name."""

import pytest
from django.test import Client
from django.urls import reverse

from webapp.accounts.models import User
from webapp.fleet.models import Camera


@pytest.mark.parametrize(
    ("page", "of", "place"),
    [
        ("camera", "camera", "overview"),
        ("camera_scene", "camera", "overview"),
        ("camera_settings", "camera", "overview"),
        ("camera_new", "agent", "agents"),
    ],
)
def test_a_page_below_another_marks_the_other(
    client: Client, alice: User, camera: Camera, page: str, of: str, place: str
) -> None:
    client.force_login(alice)
    ids = {"camera": camera.pk, "agent": camera.agent_id}
    answer = client.get(reverse(page, args=[ids[of]]))
    assert f'href="{reverse(place)}" aria-current="page"' in answer.text
    assert answer.text.count('aria-current="page"') == 1
