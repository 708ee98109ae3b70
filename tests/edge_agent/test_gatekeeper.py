"""What is not worth a look is spared the network and counted, and what must be heard is heard."""

from uuid import UUID

import numpy as np
import pytest
from msgspec.structs import replace

from edge_agent.clock import utc_now
from edge_agent.gatekeeper import Gatekeeper
from edge_agent.health import Health
from processing.vision.frame import Frame
from processing.wire.camera import DesiredCamera, MotionGate
from tests.processing.pipeline.made_scenes import after, frame_of, shot, view, with_walker

CAMERA = DesiredCamera(camera_id=UUID(int=1), name="Gate", source="usb:0")
GATED = replace(CAMERA, gate=MotionGate(is_on=True, always_look_s=600.0))
VIEW = view(5)
FPS = 5.0


class Kept:
    """A `FrameSink` that keeps frames."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def put(self, frame: Frame) -> None:
        self.frames.append(frame)

    def between(self, since_s: float, until_s: float) -> list[Frame]:
        return [each for each in self.frames if after(since_s) <= each.captured_at < after(until_s)]


class Camera:
    """Films a still view through a gatekeeper."""

    def __init__(self, settings: DesiredCamera) -> None:
        self.health = Health(utc_now)
        self.health.camera_is(settings.camera_id, "online")
        self.slot = Kept()
        self.keeper = Gatekeeper(settings, self.slot, health=self.health)
        self._dice = np.random.default_rng(3)
        self._luma = shot(VIEW, self._dice)
        self.n_filmed = 0

    def film(self, seconds: float, *, walks: bool = False, is_frozen: bool = False) -> None:
        for _ in range(round(seconds * FPS)):
            at_s = self.n_filmed / FPS
            if not is_frozen:
                scene = with_walker(VIEW, 40 + 60 * at_s % 500, 300, tall=120, shade=230)
                self._luma = shot(scene if walks else VIEW, self._dice)
            self.keeper.put(frame_of(self._luma, after(at_s)))
            self.n_filmed += 1

    @property
    def now_s(self) -> float:
        return self.n_filmed / FPS

    @property
    def n_gated(self) -> int:
        [state] = self.health.report(()).cameras
        return state.n_gated


def test_without_a_gate_every_frame_goes_on_and_the_picture_is_measured() -> None:
    camera = Camera(CAMERA)
    camera.film(4)
    assert len(camera.slot.frames) == camera.n_filmed
    assert camera.n_gated == 0
    [state] = camera.health.report(()).cameras
    assert camera.keeper.features is not None
    assert state.image is not None
    assert state.image.brightness == camera.keeper.features.brightness > 0.1


def test_the_gate_spares_still_frames_counts_them_and_opens_for_what_moves() -> None:
    camera = Camera(GATED)
    camera.film(20)
    still_s = camera.now_s
    camera.film(10)
    assert not camera.slot.between(still_s, camera.now_s)
    walk_s = camera.now_s
    camera.film(4, walks=True)
    assert len(camera.slot.between(walk_s, camera.now_s)) == 4 * FPS
    assert camera.n_gated + len(camera.slot.frames) == camera.n_filmed


def test_a_gate_can_be_opened_while_the_camera_runs() -> None:
    camera = Camera(GATED)
    camera.film(20)
    camera.keeper.tune(CAMERA)
    tuned_s = camera.now_s
    camera.film(4)
    assert len(camera.slot.between(tuned_s, camera.now_s)) == 4 * FPS


def test_what_was_done_to_the_camera_is_known_and_heard_although_nothing_moves() -> None:
    camera = Camera(GATED)
    camera.film(30)
    words = [camera.keeper.tampered]
    camera.film(40, is_frozen=True)
    words.append(camera.keeper.tampered)
    told_s = camera.now_s
    camera.film(10, is_frozen=True)
    heard = camera.slot.between(told_s, camera.now_s)
    assert [*words, camera.keeper.tampered] == [None, "frozen picture", "frozen picture"]
    assert len(heard) == 10  # once a second
    [state] = camera.health.report(()).cameras
    assert state.image is not None
    assert state.image.tampered == "frozen picture"


@pytest.mark.parametrize("are_running", [True, False])
def test_while_an_event_runs_the_rules_hear_once_a_second(*, are_running: bool) -> None:
    camera = Camera(GATED)
    camera.film(20)
    camera.keeper.events_run(are_running=are_running)
    begun_s = camera.now_s
    camera.film(10)
    assert len(camera.slot.between(begun_s, camera.now_s)) == (10 if are_running else 0)


def test_what_is_tracked_is_looked_at_again_and_again() -> None:
    camera = Camera(GATED)
    camera.film(20)
    camera.keeper.tracked_are(np.array([[100, 100, 160, 260]], np.float32))
    begun_s = camera.now_s
    camera.film(10)
    assert len(camera.slot.between(begun_s, camera.now_s)) >= 9
