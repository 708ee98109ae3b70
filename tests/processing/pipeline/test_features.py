"""Features say what a person would: dark is dark, blur is not sharp, noise is what was added."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from processing.pipeline.features import ImageFeatures, measure
from processing.vision.frame import Plane
from processing.wire.messages import FrameFeatures, ImageState
from tests.processing.pipeline.made_scenes import Picture, frame_of, shot, view

VIEW = view(3, width=1280, height=720)


def flat(level: float, *, width: int = 1280, height: int = 720) -> Picture:
    return np.full((height, width), level, np.float32)


def features_of(luma: Plane | Picture) -> ImageFeatures:
    return measure(frame_of(luma.astype(np.uint8)), motion=0.0)


def blurred(picture: Picture, sigma: float) -> Picture:
    return cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.float32)


@pytest.mark.parametrize(("level", "brightness"), [(16, 0.0), (235, 1.0), (125.5, 0.5)])
def test_black_is_0_and_white_is_1(level: float, brightness: float) -> None:
    features = features_of(flat(level))
    assert features.brightness == pytest.approx(brightness, abs=0.003)
    assert (features.contrast, features.sharpness, features.noise) == (0.0, 0.0, 0.0)


def test_half_black_half_white_is_all_the_contrast_there_is() -> None:
    picture = flat(16)
    picture[:, 640:] = 235
    features = features_of(picture)
    assert features.brightness == pytest.approx(0.5)
    assert features.contrast == pytest.approx(0.5)


@pytest.mark.parametrize("sigma", [1.0, 2.0, 4.0, 8.0, 16.0])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (640, 360), (1920, 1080)])
def test_noise_is_measured_within_a_tenth(sigma: float, width: int, height: int) -> None:
    dice = np.random.default_rng(5)
    smooth = blurred(view(4, width=width, height=height), 6.0)
    smooth = np.clip(smooth, 70, 180)  # away from where black and white cut the noise off
    assert features_of(shot(smooth, dice, noise=sigma)).noise == pytest.approx(sigma, rel=0.1)


def test_blur_lowers_sharpness_step_by_step() -> None:
    sharpness = [
        features_of(VIEW).sharpness,
        *(features_of(blurred(VIEW, sigma)).sharpness for sigma in (2.0, 4.0, 8.0, 16.0)),
    ]
    assert all(after < 0.7 * before for before, after in pairwise(sharpness))


@pytest.mark.parametrize("times", [2, 4])
def test_sharpness_does_not_depend_on_the_resolution(times: int) -> None:
    """The same view, photographed with more pixels that show no more."""
    small = view(6, width=320, height=180)
    large = np.kron(small, np.ones((times, times), np.float32))
    assert features_of(large).sharpness == pytest.approx(features_of(small).sharpness, rel=0.02)


def test_sharpness_is_the_variance_of_the_laplacian_of_a_picture_320_wide() -> None:
    """Against another implementation, over rows and columns that all are inside."""
    luma = shot(view(6, width=320, height=180), np.random.default_rng(0))
    stretched = (luma.astype(np.float64) - 16) * 255 / 219
    bordered = np.pad(stretched, 1, mode="reflect")
    laplacian = (
        bordered[:-2, 1:-1] + bordered[2:, 1:-1] + bordered[1:-1, :-2] + bordered[1:-1, 2:]
    ) - 4 * stretched
    assert features_of(luma).sharpness == pytest.approx(laplacian.var(), rel=1e-6)


def test_motion_is_passed_on() -> None:
    assert measure(frame_of(flat(90).astype(np.uint8)), motion=0.25).motion == 0.25


lumas = st.tuples(st.integers(1, 40), st.integers(1, 40)).flatmap(
    lambda size: arrays(np.uint8, size)
)


@given(luma=lumas, motion=st.floats(0.0, 1.0))
@settings(max_examples=60, deadline=None)
def test_of_any_picture_the_wire_takes_the_figures(luma: Plane, motion: float) -> None:
    found = measure(frame_of(luma), motion=motion)
    figures = (found.brightness, found.contrast, found.sharpness, found.noise, found.motion)
    assert all(np.isfinite(figures))
    assert min(figures) >= 0.0
    assert found.brightness <= 1.0
    assert found.contrast <= 0.5
    assert FrameFeatures(*figures).noise == found.noise
    assert ImageState(
        brightness=found.brightness, contrast=found.contrast, sharpness=found.sharpness,
        noise=found.noise, motion=found.motion,
    ).motion == motion  # fmt: skip
