"""The gate opens for what moves, not for noise, flicker or dusk, and never for long stays shut."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.media.decode import Decoder, video_file
from processing.pipeline.motion_gate import Glance, MotionGate
from processing.vision.detections import Boxes
from processing.wire.camera import MotionGate as GatePolicy
from tests.processing.pipeline.made_scenes import Picture, after, shot, view, with_walker

FPS = 5
NO_BOXES: Boxes = np.empty((0, 4), np.float32)
DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
STREET = view(3)
TRUCK = view(9)


def watch(
    picture_at: Callable[[float], Picture],
    *,
    seconds: float,
    noise: float = 2.0,
    boxes: Boxes = NO_BOXES,
    policy: GatePolicy | None = None,
) -> list[Glance]:
    """Return what a gate says of every frame of a made scene."""
    gate = MotionGate(policy or GatePolicy(is_on=True))
    dice = np.random.default_rng(1)
    times = [n / FPS for n in range(round(seconds * FPS))]
    return [
        gate.look(shot(picture_at(time), dice, noise=noise), after(time), boxes) for time in times
    ]


def still(_time: float) -> Picture:
    return STREET


def dusk(time: float) -> Picture:
    return np.asarray(16 + (STREET - 16) * (1 - 0.7 * min(time / 120, 1)), np.float32)


def clouds(time: float) -> Picture:
    return np.asarray(16 + (STREET - 16) * (0.875 + 0.125 * np.sin(time / 4)), np.float32)


def share_looked(glances: list[Glance]) -> float:
    return sum(map(bool, glances)) / len(glances)


@pytest.mark.parametrize("noise", [0.0, 1.0, 3.0, 8.0])
def test_noise_is_no_motion_however_much_of_it_there_is(noise: float) -> None:
    glances = watch(still, seconds=30, noise=noise)
    assert {glance.why for glance in glances[50:]} == {"still", "interval"}


@pytest.mark.parametrize("picture_at", [dusk, clouds])
def test_slow_light_is_no_motion(picture_at: Callable[[float], Picture]) -> None:
    glances = watch(picture_at, seconds=60)
    assert {glance.why for glance in glances[50:]} == {"still", "interval"}


def test_what_flickers_for_minutes_is_learnt() -> None:
    def sign(time: float) -> Picture:
        lit = STREET.copy()
        if time > 10 and round(time * FPS) % 3 == 0:
            lit[50:90, 100:160] = 230
        return lit

    glances = watch(sign, seconds=240)
    assert glances[round(11 * FPS)].why in {"motion", "linger"}
    assert {glance.why for glance in glances[-30 * FPS :]} == {"still", "interval"}


def test_noise_that_grows_at_night_does_not_hold_it_open() -> None:
    gate = MotionGate(GatePolicy(is_on=True))
    dice = np.random.default_rng(2)
    glances = [
        gate.look(shot(STREET, dice, noise=1.0 if n < 100 else 6.0), after(n / FPS), NO_BOXES)
        for n in range(250)
    ]
    assert share_looked(glances[-100:]) < 0.15


@pytest.mark.parametrize("shade", [30.0, 225.0])
@pytest.mark.parametrize("noise", [1.0, 4.0])
def test_a_walker_three_percent_as_tall_as_the_picture_opens_it(shade: float, noise: float) -> None:
    """It moves by its own height a second, before things of every shade."""

    def walk(time: float) -> Picture:
        walker_x = 20 + 11 * (time - 10)
        return STREET if time < 10 else with_walker(STREET, walker_x, 200, tall=11, shade=shade)

    glances = watch(walk, seconds=50, noise=noise)
    assert any(glance.why == "motion" for glance in glances[10 * FPS : 11 * FPS])
    assert share_looked(glances[10 * FPS :]) > 0.85


def test_it_stays_open_a_while_after_motion_and_then_shuts() -> None:
    def passer_by(time: float) -> Picture:
        is_there = 10 <= time < 12
        x = 200 + 60 * (time - 10)
        return with_walker(STREET, x, 250, tall=80, shade=30) if is_there else STREET

    glances = watch(passer_by, seconds=40)
    whys = [glance.why for glance in glances]
    last_motion = max(n for n, why in enumerate(whys) if why == "motion")
    assert last_motion < 14 * FPS
    assert whys[last_motion + 1 : last_motion + 1 + FPS] == ["linger"] * FPS
    assert share_looked(glances[20 * FPS :]) < 0.15


def test_a_lamp_that_goes_on_is_looked_at_and_then_is_the_picture() -> None:
    def lamp(time: float) -> Picture:
        is_lit = time >= 10
        return np.asarray(16 + (STREET - 16) * (1.0 if is_lit else 0.3), np.float32)

    glances = watch(lamp, seconds=20)
    assert glances[10 * FPS].why == "light"
    assert {glance.why for glance in glances[13 * FPS :]} == {"still", "interval"}


def test_a_truck_that_fills_most_of_the_picture_opens_it_all_the_while() -> None:
    def passing(time: float) -> Picture:
        shown = STREET.copy()
        left, right = (max(0, min(640, round(150 * (time - 10) + x))) for x in (-520, 0))
        shown[30:, left:right] = TRUCK[30:, :][:, 0 : right - left]
        return shown

    glances = watch(passing, seconds=20)
    assert all(glances[round(10.4 * FPS) : 17 * FPS])


def test_a_tracked_thing_that_stands_still_is_looked_at_every_second() -> None:
    glances = watch(still, seconds=60, boxes=np.array([[300, 100, 340, 200]], np.float32))
    looked = np.flatnonzero([bool(glance) for glance in glances])
    assert np.diff(looked).max() <= FPS
    assert share_looked(glances[50:]) < 0.3


def test_a_small_stir_beside_a_tracked_thing_is_enough() -> None:
    """Of a shade that is no motion anywhere else."""

    def stir(time: float) -> Picture:
        shown = STREET.copy()
        shown[166:190, 326:334] += 4.0 if time >= 20 else 0.0
        return shown

    near = np.array([[300, 100, 340, 200]], np.float32)
    far = np.array([[20, 300, 60, 350]], np.float32)
    assert watch(stir, seconds=21, noise=1.0, boxes=near)[20 * FPS].why == "near_track"
    assert watch(stir, seconds=21, noise=1.0, boxes=far)[20 * FPS].why in {"still", "tracked"}


def test_where_something_is_tracked_its_motion_is_not_learnt_as_noise() -> None:
    def dancer(time: float) -> Picture:
        x = 320 + 8 * np.sin(5 * time)
        return with_walker(STREET, x, 200, tall=60, shade=30) if time > 10 else STREET

    boxes = np.array([[300, 130, 340, 205]], np.float32)
    assert all(watch(dancer, seconds=150, boxes=boxes)[-60 * FPS :])


@given(every=st.floats(0.4, 30.0), fps=st.sampled_from([0.5, 1.5, 2.0, 5.0, 12.5, 30.0]))
@settings(max_examples=40, deadline=None)
def test_no_gap_is_longer_than_asked_for_or_than_the_frames_are_apart(
    every: float, fps: float
) -> None:
    gate = MotionGate(GatePolicy(is_on=True, always_look_s=every))
    grey = np.full((90, 160), 128, np.uint8)
    times = [n / fps for n in range(round(100 * fps))]
    looked = [time for time in times if gate.look(grey, after(time), NO_BOXES)]
    assert np.diff(looked).max() <= max(every, 1 / fps) + 0.01
    assert times[-1] - looked[-1] <= max(every, 1 / fps) + 0.01


def test_at_intervals_it_looks_twice_so_that_the_tracker_can_confirm() -> None:
    whys = [glance.why for glance in watch(still, seconds=30)][10:]
    first = whys.index("interval")
    assert whys[first : first + 3] == ["interval", "interval", "still"]


@given(jump_s=st.floats(-1e7, 1e7))
@settings(max_examples=40, deadline=None)
def test_a_clock_that_jumps_neither_shuts_it_nor_holds_it_open(jump_s: float) -> None:
    gate = MotionGate(GatePolicy(is_on=True, always_look_s=5.0))
    grey = np.full((90, 160), 128, np.uint8)
    for n in range(50):
        gate.look(grey, after(n / FPS), NO_BOXES)
    glances = [gate.look(grey, after(10 + jump_s + n / FPS), NO_BOXES) for n in range(100)]
    if jump_s < -0.2 or jump_s > 5.0:
        assert glances[0]
    looked = np.flatnonzero([bool(glance) for glance in glances])
    assert looked[0] <= 25
    assert np.diff(looked).max() <= 25
    assert share_looked(glances) < 0.2


def test_switched_off_it_always_looks_and_still_tells_what_moves() -> None:
    def passer_by(time: float) -> Picture:
        return with_walker(STREET, 60 * time, 250, tall=100, shade=30)

    glances = watch(passer_by, seconds=8, policy=GatePolicy(is_on=False))
    assert {glance.why for glance in glances} == {"off"}
    assert 0.005 < glances[-1].motion < 0.1


def test_a_picture_of_another_size_is_learnt_anew() -> None:
    gate = MotionGate(GatePolicy(is_on=True))
    dice = np.random.default_rng(1)
    for n in range(30):
        gate.look(shot(STREET, dice), after(n / FPS), NO_BOXES)
    other = view(3, width=320, height=240)
    assert gate.look(shot(other, dice), after(7), NO_BOXES).why == "learning"


@pytest.mark.skipif(not DATA.is_dir(), reason="no real videos in ../shared/data")
@pytest.mark.parametrize("noise", [0.0, 5.0])
def test_a_real_square_where_people_always_walk_keeps_it_open(noise: float) -> None:
    gate = MotionGate(GatePolicy(is_on=True))
    dice = np.random.default_rng(1)
    with Decoder(video_file(DATA / "videos/vtest.avi")) as decoder:
        lumas = [
            picture.planes.y.astype(np.float32) for n, picture in enumerate(decoder) if n % 4 == 0
        ]
    glances = [
        gate.look(shot(luma, dice, noise=noise), after(n * 0.4), NO_BOXES)
        for n, luma in enumerate(lumas)
    ]
    assert share_looked(glances) > 0.98
    whys = [glance.why for glance in glances[10:]]
    assert whys.count("motion") > 0.9 * len(whys)
