"""What is wanted of an agent follows every change of its cameras."""

import pytest
from django.core.exceptions import ValidationError

from processing.wire.camera import SamplePolicy
from processing.wire.codec import SUBPROTOCOL, agent_codec, hub_codec
from processing.wire.limits import MAX_CAMERAS
from processing.wire.messages import DesiredState
from tests.factories import START, make_camera, make_sample
from webapp.common.models import Change
from webapp.fleet.actions import (
    CameraFields,
    TooManyCameras,
    add_camera,
    remove_camera,
    update_camera,
)
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.fleet.queries import build_desired_state
from webapp.results.models import Result


def wanted(agent: Agent) -> tuple[int, list[str]]:
    agent.refresh_from_db()
    state = build_desired_state(agent)
    return state.version, [camera.name for camera in state.cameras]


def test_it_works(agent: Agent) -> None:
    camera = add_camera(
        agent, at=START, name="Gate", source="rtsp://camera.lan/1", sample_policy={"every_s": 60.0}
    )
    agent.refresh_from_db()
    state = build_desired_state(agent)
    assert state.version == 2
    (told,) = state.cameras
    assert (told.camera_id, told.name, told.source) == (camera.id, "Gate", "rtsp://camera.lan/1")
    assert told.samples == SamplePolicy(every_s=60.0)


@pytest.mark.parametrize(
    "source",
    [
        "rtsp://user:secret@[fd00::1]:554/h264?channel=1",
        "https://camera.lan/stream.m3u8",
        "usb:0",
        "file:straße (1).mp4",
    ],
)
def test_streams_devices_and_files_are_sources(agent: Agent, source: str) -> None:
    assert add_camera(agent, at=START, name="Gate", source=source).source == source


def test_every_change_raises_the_version(agent: Agent) -> None:
    camera = add_camera(agent, at=START, name="Gate", source="usb:0")
    assert wanted(agent) == (2, ["Gate"])
    update_camera(camera, at=START, name="Door")
    assert wanted(agent) == (3, ["Door"])
    remove_camera(camera, at=START)
    assert wanted(agent) == (4, [])
    assert set(Change.objects.values_list("topic", flat=True)) == {"cameras"}


def test_an_update_leaves_the_rest(agent: Agent) -> None:
    camera = add_camera(agent, at=START, name="Gate", source="usb:0", analysed_fps=5.0)
    camera = update_camera(camera, at=START, is_enabled=False)
    assert (camera.is_enabled, camera.analysed_fps, camera.source) == (False, 5.0, "usb:0")


@pytest.mark.parametrize(
    "fields",
    [
        CameraFields(name=""),
        CameraFields(name="x" * 201),
        CameraFields(source="file:../../etc/passwd"),
        CameraFields(source="file:/etc/passwd"),
        CameraFields(source="file:.."),
        CameraFields(source="file:"),
        CameraFields(source="concat:a|b"),
        CameraFields(source="gopher://camera.lan"),
        CameraFields(source="rtsp://"),
        CameraFields(source="rtsp://camera.lan:99999/"),
        CameraFields(source="rtsp://camera.lan/\x00"),
        CameraFields(source="usb:"),
        CameraFields(analysed_fps=0.0),
        CameraFields(analysed_fps=float("nan")),
        CameraFields(score_threshold=1.5),
        CameraFields(labels=["x" * 201]),
        CameraFields(sample_policy={"random_share": 2.0}),
    ],
)
def test_what_no_agent_would_accept_is_refused(agent: Agent, fields: CameraFields) -> None:
    camera = add_camera(agent, at=START, name="Gate", source="usb:0")
    with pytest.raises(ValidationError):
        update_camera(camera, at=START, **fields)
    assert wanted(agent) == (2, ["Gate"])


def test_two_cameras_of_an_agent_have_two_names(agent: Agent) -> None:
    add_camera(agent, at=START, name="Gate", source="usb:0")
    with pytest.raises(ValidationError, match="already exists"):
        add_camera(agent, at=START, name="Gate", source="usb:1")


def test_an_agent_carries_so_many_and_no_more(agent: Agent) -> None:
    for _ in range(MAX_CAMERAS):
        make_camera(agent)
    with pytest.raises(TooManyCameras):
        add_camera(agent, at=START, name="One more", source="usb:0")


def test_an_agent_is_never_told_more_than_it_reads(agent: Agent) -> None:
    camera = add_camera(agent, at=START, name="Gate", source="usb:0")
    for number in range(4):
        make_camera(agent, labels=[f"{number} {'x' * 190} {each}" for each in range(600)])
    before = wanted(agent)
    with pytest.raises(ValidationError, match="add an agent"):
        update_camera(camera, at=START, labels=[f"{'y' * 190} {each}" for each in range(600)])
    with pytest.raises(ValidationError, match="add an agent"):
        add_camera(agent, at=START, name="Door", source="usb:1", labels=["x" * 200] * 600)
    assert wanted(agent) == before
    update_camera(camera, at=START, labels=["person"])
    told = agent_codec(SUBPROTOCOL).decode(
        hub_codec(SUBPROTOCOL).encode(build_desired_state(agent))
    )
    assert isinstance(told, DesiredState)
    assert told.cameras[0].labels == ("person",)


def test_removing_a_camera_removes_what_it_saw(camera: Camera, bundle: Bundle) -> None:
    make_sample(camera, bundle)
    remove_camera(camera, at=START)
    assert not Camera.objects.exists()
    assert not Result.objects.exists()
