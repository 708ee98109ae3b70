"""What agents report of pictures and of their networks is kept, made fit to store and to show."""

import msgspec
import pytest
from pytest_django import DjangoAssertNumQueries

from processing.wire.messages import CameraState, FoundCamera, ImageState, StateReport
from tests.factories import START, make_agent, make_camera
from webapp.common.models import Change
from webapp.fleet.actions import Reported, record_reports
from webapp.fleet.models import Agent, Camera

FOUND = FoundCamera(address="10.0.0.7", name="Axis\x00 P32", hardware="P3245", service="http://x/")


def report(camera: Camera, image: ImageState | None, *found: FoundCamera) -> StateReport:
    state = CameraState(
        camera_id=camera.id, state="online", since_at=START, n_frames=10, n_gated=90, image=image
    )
    return StateReport(at=START, desired_version=1, cameras=(state,), found=found)


def figures(sharpness: float = 120.0) -> ImageState:
    return ImageState(brightness=0.5, contrast=0.2, sharpness=sharpness, noise=2.5, motion=0.01)


def record(camera: Camera, said: StateReport) -> None:
    """Have written down what the camera's agent says."""
    record_reports([Reported(Agent.objects.get(pk=camera.agent_id), said, START)])


def test_it_works(camera: Camera) -> None:
    record(camera, report(camera, figures(), FOUND))
    camera.refresh_from_db()
    assert camera.n_gated == 90
    assert camera.image == {
        "brightness": 0.5, "contrast": 0.2, "sharpness": 120.0, "noise": 2.5, "motion": 0.01,
    }  # fmt: skip
    (found,) = Agent.objects.get().found_cameras
    assert found["address"] == "10.0.0.7"
    assert found["name"] == "Axis\N{REPLACEMENT CHARACTER} P32"


def test_what_the_agent_says_of_tampering_is_kept_while_it_says_so(camera: Camera) -> None:
    for word in ("covered", ""):
        image = msgspec.structs.replace(figures(), tampered=word)
        record(camera, report(camera, image))
        camera.refresh_from_db()
        assert camera.image is not None
        assert camera.image.get("tampered", "") == word


def test_figures_that_are_no_numbers_are_none(camera: Camera) -> None:
    record(camera, report(camera, figures(float("inf"))))
    camera.refresh_from_db()
    assert camera.image is None


@pytest.mark.parametrize("order", [1, -1])
def test_pages_hear_of_another_camera_that_answers_but_not_of_another_order(
    camera: Camera, order: int
) -> None:
    other = FoundCamera(address="10.0.0.8")
    record(camera, report(camera, None, FOUND, other))
    Change.objects.all().delete()
    record(camera, report(camera, None, *(FOUND, other)[::order]))
    assert not Change.objects.exists()
    record(camera, report(camera, None, FOUND))
    assert list(Change.objects.values_list("topic", flat=True)) == ["agents"]


def test_of_a_camera_only_its_own_agent_says_how_it_is(camera: Camera) -> None:
    other = make_agent(camera.agent.site)
    record_reports([Reported(other, report(camera, figures()), START)])
    camera.refresh_from_db()
    assert (camera.state, camera.image) == (Camera.State.UNKNOWN, None)


def test_more_agents_cost_no_more_questions(
    camera: Camera, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    cameras = [camera, *(make_camera(make_agent(camera.agent.site)) for _ in range(20))]
    said = [Reported(each.agent, report(each, figures(), FOUND), START) for each in cameras]
    with django_assert_max_num_queries(5):
        record_reports(said)
    assert Camera.objects.filter(state=Camera.State.ONLINE, n_gated=90).count() == len(cameras)
    assert Agent.objects.filter(is_connected=True, last_seen_at=START).count() == len(cameras)
    assert set(Change.objects.values_list("topic", flat=True)) == {"agents", "cameras"}
