"""Tampering is told within a minute, and nothing else is: not dusk, lamps, headlights or trucks."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processing.media.decode import Decoder, video_file
from processing.pipeline.features import measure
from processing.pipeline.tampering import TamperWatch
from processing.vision.frame import Plane
from tests.processing.pipeline.made_scenes import Picture, after, frame_of, shot, view

FPS = 2
BEGINS, ENDS = 60.0, 120.0
DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
YARD = view(3)
ELSEWHERE = view(8)
PANORAMA = view(5, width=900)
ROWS, COLUMNS = np.mgrid[:360, :640].astype(np.float32)


def blurred(picture: Picture, sigma: float) -> Picture:
    return cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.float32)


def lit(share: float) -> Picture:
    """Return the yard with this share of its light."""
    return np.asarray(16 + (YARD - 16) * share, np.float32)


def told(
    picture_at: Callable[[float], Picture | Plane], *, seconds: float = 180.0, noise: float = 2.0
) -> list[tuple[float, str | None]]:
    """Return what a watch says and from when on; planes are shown as they are, without noise."""
    watch, dice = TamperWatch(), np.random.default_rng(1)
    words: list[tuple[float, str | None]] = [(0.0, None)]
    for time in np.arange(0.0, seconds, 1 / FPS):
        picture = picture_at(float(time))
        is_shot = picture.dtype == np.uint8
        luma = picture if is_shot else shot(picture.astype(np.float32), dice, noise=noise)
        frame = frame_of(luma.astype(np.uint8))
        word = watch.look(frame, measure(frame, motion=0.0), after(float(time)))
        if word != words[-1][1]:
            words.append((float(time), word))
    return words


def meanwhile(picture: Picture, time: float, before: Picture = YARD) -> Picture:
    return picture if BEGINS <= time < ENDS else before


def cap() -> Picture:
    return np.full_like(YARD, 20)


def hand() -> Picture:
    return blurred(np.random.default_rng(3).normal(90, 400, YARD.shape).astype(np.float32), 60)


def cloth() -> Picture:
    return blurred(view(30), 40) * np.float32(0.5) + np.float32(40)


@pytest.mark.parametrize("cover", [cap, hand, cloth])
def test_a_covered_camera_is_told_within_a_minute_until_it_is_free(
    cover: Callable[[], Picture],
) -> None:
    covered = cover()
    words = told(partial(meanwhile, covered))
    assert [word for _, word in words] == [None, "covered", None]
    assert BEGINS + 15 < words[1][0] <= BEGINS + 60
    assert ENDS < words[2][0] <= ENDS + 20


@pytest.mark.parametrize("sigma", [3.0, 8.0])
def test_a_camera_out_of_focus_is_told_within_a_minute_until_it_is_sharp(sigma: float) -> None:
    words = told(partial(meanwhile, blurred(YARD, sigma)))
    assert [word for _, word in words] == [None, "defocused", None]
    assert BEGINS + 15 < words[1][0] <= BEGINS + 60
    assert ENDS < words[2][0] <= ENDS + 20


@pytest.mark.parametrize("shift", [80, 200])
def test_a_turned_camera_is_told_within_a_minute_and_its_new_view_is_learnt(shift: int) -> None:
    def turned(time: float) -> Picture:
        left = 30 + shift if time >= BEGINS else 30
        return PANORAMA[:, left : left + 640]

    words = told(turned, seconds=200)
    assert [word for _, word in words] == [None, "moved", None]
    assert BEGINS + 15 < words[1][0] <= BEGINS + 60
    assert BEGINS + 55 < words[2][0] <= BEGINS + 90


def test_a_camera_that_is_turned_back_is_fine_at_once() -> None:
    def turned(time: float) -> Picture:
        return ELSEWHERE if BEGINS <= time < BEGINS + 40 else YARD

    words = told(turned)
    assert [word for _, word in words] == [None, "moved", None]
    assert BEGINS + 40 < words[2][0] <= BEGINS + 60


def test_a_new_view_is_watched_as_the_old_one_was() -> None:
    def turned_then_covered(time: float) -> Picture:
        if time < BEGINS:
            return YARD
        return ELSEWHERE if time < 180 else cap()

    words = told(turned_then_covered, seconds=240)
    assert [word for _, word in words] == [None, "moved", None, "covered"]


def test_a_picture_that_no_longer_changes_at_all_is_told_until_it_does() -> None:
    still = shot(YARD, np.random.default_rng(9))
    words = told(lambda time: still if BEGINS <= time < ENDS else YARD)
    assert [word for _, word in words] == [None, "frozen picture", None]
    assert BEGINS + 10 < words[1][0] <= BEGINS + 12
    assert words[2][0] == ENDS


def test_a_source_that_never_had_noise_is_not_frozen() -> None:
    grey = YARD.astype(np.uint8)
    assert told(lambda _: grey) == [(0.0, None)]


def test_an_encoder_that_smooths_noise_away_between_key_frames_is_not_frozen() -> None:
    pictures = [shot(YARD, np.random.default_rng(n)) for n in range(60)]
    assert told(lambda time: pictures[int(time / 8) % 60]) == [(0.0, None)]


def test_a_quiet_spell_of_an_encoder_must_be_much_longer_than_it_ever_was() -> None:
    """It changes with every picture at first; then for 8, then for 20 seconds it does not."""

    def spells(time: float) -> Picture | Plane:
        is_still = 40 <= time < 48 or 80 <= time < 100
        return shot(YARD, np.random.default_rng(int(time >= 60))) if is_still else YARD

    assert told(spells) == [(0.0, None)]


def dusk(time: float) -> Picture:
    return lit(1 - min(time / 300, 1))


def dawn(time: float) -> Picture:
    return lit(min(time / 300, 1))


def lamp_off(time: float) -> Picture:
    return lit(0.15 if time >= BEGINS else 1.0)


def lamp_on(time: float) -> Picture:
    return lit(1.0 if time >= BEGINS else 0.15)


def infrared(time: float) -> Picture:
    """Every other thing turns bright for dark, and the lamp lights the middle only."""
    if time < BEGINS:
        return YARD
    odd = COLUMNS // 80 % 2 == 0
    lamp = np.exp(-((COLUMNS - 320) ** 2 + (ROWS - 180) ** 2) / (2 * 220**2))
    return np.asarray(np.clip(np.where(odd, 250 - YARD, YARD) * lamp + 16, 16, 235), np.float32)


def headlights(time: float) -> Picture:
    """A car every half a minute, at night."""
    since = time % 30
    if time < 20 or since >= 6:
        return lit(0.3)
    glare = 200 * np.exp(-((COLUMNS - 100 * since) ** 2 + (ROWS - 180) ** 2) / (2 * 150**2))
    return np.asarray(np.clip(lit(0.3) + glare, 16, 235), np.float32)


def truck(time: float, *, side: Picture) -> Picture:
    """It fills nine tenths of the picture for ten seconds."""
    shown = YARD.copy()
    if BEGINS <= time < BEGINS + 10:
        shown[10:, 20:620] = side[10:, 20:620]
    return shown


def trembling(time: float) -> Picture:
    left = 30 + round(5 * np.sin(9 * time))
    return PANORAMA[:, left : left + 640]


@pytest.mark.parametrize(
    "picture_at",
    [
        dusk, dawn, lamp_off, lamp_on, infrared, headlights, trembling,
        partial(truck, side=np.full_like(YARD, 80)), partial(truck, side=view(44)),
    ],
)  # fmt: skip
def test_what_happens_to_every_camera_is_no_tampering(
    picture_at: Callable[[float], Picture],
) -> None:
    assert told(picture_at, seconds=330, noise=4.0) == [(0.0, None)]


@given(jump_s=st.floats(-1e7, 1e7), jumps_at=st.integers(0, 60))
@settings(max_examples=10, deadline=None)
def test_a_clock_that_jumps_is_no_tampering_and_hides_none(jump_s: float, jumps_at: int) -> None:
    watch, dice = TamperWatch(), np.random.default_rng(1)
    words = []
    for second in range(120):
        luma = shot(cap() if second >= 60 else YARD, dice)
        at = after(second + (jump_s if second >= jumps_at else 0.0))
        frame = frame_of(luma)
        words.append(watch.look(frame, measure(frame, motion=0.0), at))
    assert set(words[:75]) == {None}
    assert words[-1] == "covered"


def test_a_picture_of_another_size_is_learnt_anew() -> None:
    other = view(12, width=320, height=240)
    assert told(lambda time: YARD if time < BEGINS else other) == [(0.0, None)]


@pytest.mark.skipif(not DATA.is_dir(), reason="no real videos in ../shared/data")
@pytest.mark.parametrize(
    "name", ["vtest.avi", "bottle-detection.mp4", "person-bicycle-car-detection.mp4"]
)
def test_nothing_is_told_of_a_real_camera_and_a_cover_over_it_is(name: str) -> None:
    with Decoder(video_file(DATA / "videos" / name)) as decoder:
        lumas = [picture.planes.y.copy() for n, picture in enumerate(decoder) if n % 8 == 0]
    height, width = lumas[0].shape
    covered = np.full((height, width), 30, np.float32)

    def looped(time: float) -> Picture | Plane:
        return covered if time >= 240 else lumas[round(time * FPS) % len(lumas)]

    words = told(looped, seconds=300)
    assert [word for _, word in words] == [None, "covered"]
