"""Setting a camera: what is wrong is said beside the field, what is right reaches the agent."""

from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse

from processing.wire.camera import ClipPolicy, DesiredCamera, Privacy, Schedule, Tiling, Window
from tests.factories import START, make_camera
from webapp.accounts.models import User
from webapp.dashboard.camera_forms import ALL
from webapp.fleet.actions import update_camera
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


def test_a_whole_number_is_shown_without_a_point(admin: Client, camera: Camera) -> None:
    page = admin.get(reverse("camera_settings", args=[camera.pk])).text
    shown = (
        page.partition('name="region-right"')[0].rpartition("<")[2]
        + page.partition('name="region-right"')[2].partition(">")[0]
    )
    assert 'value="100"' in shown


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


SQUARE = ((0.1, 0.1), (0.4, 0.1), (0.4, 0.5))


def typed(camera: Camera, **changes: str) -> dict[str, str]:
    """Return what a browser sends when all forms are as they were but for `changes`."""
    sent = dict(GOOD)
    for kind in ALL:
        form = kind(wanted=camera.desired())
        for bound in form:
            value = bound.value()
            if value is not None and value is not False:
                sent[bound.html_name] = sent[bound.html_initial_name] = str(value)
    return {name: value for name, value in (sent | changes).items() if value != ""}


def wanted(camera: Camera) -> DesiredCamera:
    camera.refresh_from_db()
    return camera.desired()


def settings_of(camera: Camera) -> str:
    return reverse("camera_settings", args=[camera.pk])


def test_every_way_to_watch_is_set(admin: Client, camera: Camera) -> None:
    changes = {
        "streams-transport": "udp",
        "streams-clip_source": "rtsp://10.0.0.4/big",
        "region-left": "12.5",
        "tiling-columns": "2",
        "tiling-overlap": "20",
        "schedule-hours": "Mon-Fri 18:00-06:00",
        "schedule-time_zone": "Europe/Berlin",
        "gate-is_on": "on",
        "clips-is_on": "on",
        "clips-before_s": "8",
        "privacy-hides_faces": "on",
    }
    answer = admin.post(settings_of(camera), typed(camera, **changes))
    assert answer.status_code == HTTPStatus.FOUND, answer.context["form"].policies
    told = wanted(camera)
    assert (told.streams.transport, told.streams.clip_source) == ("udp", "rtsp://10.0.0.4/big")
    assert told.region.left == 0.125
    assert told.tiling == Tiling(columns=2, overlap=0.2)
    night = Window(days=(0, 1, 2, 3, 4), from_minute=1080, to_minute=360)
    assert told.schedule == Schedule(windows=(night,), time_zone="Europe/Berlin")
    assert told.gate.is_on
    assert told.clips == ClipPolicy(is_on=True, before_s=8.0)
    assert told.privacy == Privacy(hides_faces=True)


def test_a_form_that_shows_what_is_set_changes_nothing(admin: Client, camera: Camera) -> None:
    camera = update_camera(
        camera,
        at=START,
        policies={
            "region": {"left": 1 / 3, "top": 0.1234567},
            "privacy": {"zones": [SQUARE], "hides_faces": True},
            "schedule": {"windows": [{"days": [1], "from_minute": 61, "to_minute": 62}]},
        },
    )
    before = camera.policies
    assert admin.post(settings_of(camera), typed(camera)).status_code == HTTPStatus.FOUND
    camera.refresh_from_db()
    assert camera.policies == before


def test_what_somebody_set_meanwhile_stays_unless_it_was_touched(
    admin: Client, camera: Camera
) -> None:
    sent = typed(camera, **{"tiling-rows": "2"})
    update_camera(
        camera,
        at=START,
        policies={"region": {"left": 0.5}, "privacy": {"zones": [SQUARE]}, "gate": {"is_on": True}},
    )
    assert admin.post(settings_of(camera), sent).status_code == HTTPStatus.FOUND
    told = wanted(camera)
    assert (told.region.left, told.gate.is_on, told.tiling.rows) == (0.5, True, 2)
    assert told.privacy.zones == (SQUARE,)


def test_who_hides_faces_keeps_what_is_drawn(admin: Client, camera: Camera) -> None:
    camera = update_camera(camera, at=START, policies={"privacy": {"zones": [SQUARE]}})
    admin.post(settings_of(camera), typed(camera, **{"privacy-hides_faces": "on"}))
    assert wanted(camera).privacy == Privacy(zones=(SQUARE,), hides_faces=True)


def test_what_is_left_empty_has_its_default(admin: Client, camera: Camera) -> None:
    camera = update_camera(camera, at=START, policies={"clips": {"before_s": 9}})
    admin.post(settings_of(camera), typed(camera, **{"clips-before_s": ""}))
    assert wanted(camera).clips == ClipPolicy()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("streams-clip_source", "file:../x", "file:NAME"),
        ("region-right", "0", "beyond left"),
        ("tiling-columns", "5", "4"),
        ("schedule-hours", "sometimes", "Not understood"),
        ("schedule-time_zone", "Mars/Base", "Europe/Berlin"),
        ("gate-always_look_s", "0", "0.2"),
        ("streams-clip_source", "nonsense", "A source is rtsp://"),
        ("clips-longest_s", "3", "before and after"),
    ],
)
def test_what_is_wrong_with_a_policy_is_said_beside_its_field(
    admin: Client, camera: Camera, field: str, value: str, words: str
) -> None:
    answer = admin.post(settings_of(camera), typed(camera, **{field: value}))
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    beside = answer.text.partition(f'id="id_{field}_error"')[2]
    assert words in beside.partition("</div>")[0]
    assert f'id="{field.partition("-")[0]}" open' in answer.text
    assert answer.text.count(" autofocus") == 1
    assert " autofocus" in answer.text.partition(f'name="{field}"')[2].partition(">")[0]
    camera.agent.refresh_from_db()
    assert camera.agent.desired_version == 1


def test_a_camera_that_the_agent_found_is_begun_from(admin: Client, agent: Agent) -> None:
    make_camera(agent, source="rtsp://10.0.0.8/main")
    Agent.objects.update(
        found_cameras=[
            {"address": "10.0.0.8", "name": "Yard", "hardware": "", "service": ""},
            {"address": "fd00::7", "name": "Axis P32", "hardware": "P3245", "service": "http://x"},
        ]
    )
    address = reverse("camera_new", args=[agent.pk])
    page = admin.get(address)
    assert "Axis P32" in page.text
    assert "?found=fd00%3A%3A7" in page.text
    assert "?found=10.0.0.8" not in page.text  # it is watched
    page = admin.get(address, {"found": "fd00::7"})
    assert 'value="rtsp://[fd00::7]:554/"' in page.text
    assert 'value="Axis P32"' in page.text
    page = admin.get(address, {"found": "gopher://never-found"})
    assert "never-found" not in page.text.partition("<form")[2]
