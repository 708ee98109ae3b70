"""Where a picture goes in the network's input, and that boxes find their way back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from processing.inference.canvas import Canvas
from processing.inference.input_spec import InputSpec, ResizeMode
from processing.inference.placement import place
from processing.media.colour import frame_from_bgr
from tests.processing.tiny_bundle import AT

MODES: tuple[ResizeMode, ...] = ("letterbox-center", "letterbox-topleft", "stretch")
sides = st.integers(16, 4000)
even_sides = st.integers(16, 640).map(lambda side: side * 2)


def spec(width: int, height: int, resize: ResizeMode, pad: int = 0) -> InputSpec:
    return InputSpec(
        tensor="image",
        width=width,
        height=height,
        colour="bgr",
        mean=(0.0, 0.0, 0.0),
        scale=(1.0, 1.0, 1.0),
        resize=resize,
        pad=pad,
    )


def test_a_wide_picture_is_centred_between_bars() -> None:
    where = place(spec(416, 416, "letterbox-center"), 1280, 720)
    assert (where.left, where.top, where.width, where.height) == (0, 90, 416, 234)


def test_a_picture_of_the_right_size_is_left_alone() -> None:
    for mode in MODES:
        where = place(spec(416, 320, mode), 416, 320)
        assert (where.left, where.top, where.width, where.height) == (0, 0, 416, 320)


@given(even_sides, even_sides, st.sampled_from(MODES), sides, sides)
def test_it_always_lies_inside_at_even_places(
    width: int, height: int, mode: ResizeMode, picture_width: int, picture_height: int
) -> None:
    where = place(spec(width, height, mode), picture_width, picture_height)
    assert where.left >= 0
    assert where.left + where.width <= width
    assert where.top >= 0
    assert where.top + where.height <= height
    assert not any(side % 2 for side in (where.left, where.top, where.width, where.height))


@given(st.sampled_from(MODES), sides, sides, st.integers(0, 1000))
def test_boxes_find_their_way_back(
    mode: ResizeMode, picture_width: int, picture_height: int, seed: int
) -> None:
    where = place(spec(416, 416, mode), picture_width, picture_height)
    size = np.array([picture_width, picture_height] * 2, np.float32)
    corners = np.sort(np.random.default_rng(seed).uniform(0, 1, (5, 2, 2)), axis=1)
    shares = corners.reshape(5, 4).astype(np.float32)
    inside = shares * np.array([where.width, where.height] * 2, np.float32)
    inside += np.array([where.left, where.top] * 2, np.float32)
    np.testing.assert_allclose(where.to_picture(inside), shares * size, rtol=1e-3, atol=0.05)


def test_bars_have_the_grey_of_the_manifest() -> None:
    for pad in (0, 114, 255):
        canvas = Canvas(spec(64, 64, "letterbox-center", pad))
        bgr = np.full((32, 64, 3), 200, np.uint8)
        canvas.draw(frame_from_bgr(bgr, captured_at=AT))
        assert abs(float(canvas.y[0, 0]) - (16 + pad * 219 / 255)) <= 0.5
        assert canvas.u[0, 0] == canvas.v[0, 0] == 128


def test_bars_are_clean_after_a_picture_of_another_shape() -> None:
    canvas = Canvas(spec(64, 64, "letterbox-center"))
    white = np.full((64, 64, 3), 255, np.uint8)
    canvas.draw(frame_from_bgr(white, captured_at=AT))
    canvas.draw(frame_from_bgr(white[:16], captured_at=AT))
    assert (canvas.y[:16] == 16).all()
    assert (canvas.y[-16:] == 16).all()
    assert (canvas.y[26:38] > 200).all()
