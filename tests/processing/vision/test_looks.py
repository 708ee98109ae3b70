"""Nearly the same picture has nearly the same look; another picture has another."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from processing.vision.looks import Look, look_of, novelty


def scene(seed: int) -> NDArray[np.uint8]:
    """A few coloured blocks on a wall."""
    dice = np.random.default_rng(seed)
    picture = np.full((180, 320, 3), dice.integers(40, 200, 3), np.uint8)
    for _ in range(12):
        x, y = dice.integers(0, 280), dice.integers(0, 140)
        picture[y : y + 60, x : x + 80] = dice.integers(0, 255, 3)
    return cv2.GaussianBlur(picture, (9, 9), 0).astype(np.uint8)


def as_sent(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same a moment later: a little noise, a little brighter, compressed anew."""
    noise = np.random.default_rng(1).normal(4, 3, picture.shape)
    noisy = np.clip(picture + noise, 0, 255).astype(np.uint8)
    encoded = cv2.imencode(".jpg", noisy, (cv2.IMWRITE_JPEG_QUALITY, 50))[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def n_bits_apart(one: Look, two: Look) -> int:
    return ((one.fingerprint ^ two.fingerprint) & ((1 << 64) - 1)).bit_count()


@pytest.mark.parametrize("seed", range(8))
def test_what_a_camera_sends_a_moment_later_is_alike(seed: int) -> None:
    picture = scene(seed)
    before, after = look_of(picture), look_of(as_sent(picture))
    assert n_bits_apart(before, after) <= 6
    assert novelty(after.appearance, [before.appearance]) < 0.05


def test_other_scenes_are_not() -> None:
    looks = [look_of(scene(seed)) for seed in range(20)]
    for number, one in enumerate(looks):
        others = looks[:number] + looks[number + 1 :]
        assert min(n_bits_apart(one, other) for other in others) > 6
        assert novelty(one.appearance, [other.appearance for other in others]) > 0.05


def test_the_nearest_counts() -> None:
    here, there = look_of(scene(1)).appearance, look_of(scene(2)).appearance
    assert novelty(here, [there, here]) == 0.0
    assert novelty(here, [there]) == novelty(there, [here])


def test_without_anything_to_compare_with_all_is_new() -> None:
    assert novelty(look_of(scene(1)).appearance, []) == 1.0


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (9, 9), (31, 1000), (720, 1280)])
def test_any_size_has_a_look_that_a_column_holds(size: tuple[int, int]) -> None:
    black = np.zeros((*size, 3), np.uint8)
    look = look_of(black)
    assert look.fingerprint == 0
    assert -(2**63) <= look_of(np.flip(scene(3)[: size[0]], 1)).fingerprint < 2**63
    assert len(look.appearance) == 6 * 6 * 4 * 2
