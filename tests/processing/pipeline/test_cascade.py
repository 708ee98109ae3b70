"""What is in doubt is looked at again, and who looked again decides about it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.pipeline.cascade import LEAST_SHARE, MOST_CROPS, Doubt, doubtful_crops, settle
from processing.pipeline.tiling import Crop
from processing.vision.detections import Detections

WIDTH, HEIGHT = 640, 480
DOUBT = Doubt(low=0.2, high=0.5)


def found(*things: tuple[float, float, float, float, float], label: int = 0) -> Detections:
    """Return detections of (x0, y0, x1, y1, score)."""
    rows = np.array(things, np.float32).reshape(-1, 5)
    return Detections(rows[:, :4], rows[:, 4], np.full(len(rows), label, np.int32))


def crops_of(seen: Detections) -> tuple[Crop, ...]:
    return doubtful_crops(seen, DOUBT, width=WIDTH, height=HEIGHT)


def settled(seen: Detections, *looks: tuple[Crop, Detections]) -> Detections:
    return settle(seen, DOUBT, looks, width=WIDTH, height=HEIGHT)


def test_without_doubt_nobody_looks_again() -> None:
    assert crops_of(found((10, 10, 50, 50, 0.9), (100, 100, 150, 150, 0.1))) == ()
    assert crops_of(Detections.empty()) == ()


def test_a_doubtful_thing_is_shown_with_what_is_around_it() -> None:
    (crop,) = crops_of(found((300, 200, 400, 300, 0.4)))
    assert (crop.left, crop.top) <= (250, 150)
    assert crop.right >= 450
    assert crop.bottom >= 350
    assert crop.width * crop.height < WIDTH * HEIGHT / 4


def test_a_tiny_thing_is_not_blown_up() -> None:
    (crop,) = crops_of(found((0, 0, 4, 4, 0.4)))
    assert (crop.left, crop.top) == (0, 0)
    assert crop.width >= LEAST_SHARE * WIDTH
    assert crop.height >= LEAST_SHARE * HEIGHT


def test_neighbours_are_looked_at_together() -> None:
    assert len(crops_of(found((100, 100, 140, 140, 0.4), (150, 110, 190, 150, 0.3)))) == 1
    assert len(crops_of(found((0, 0, 40, 40, 0.4), (600, 440, 640, 480, 0.3)))) == 2


def test_doubt_everywhere_is_a_look_at_everything() -> None:
    assert crops_of(found((0, 0, 600, 400, 0.4))) == (Crop(0, 0, WIDTH, HEIGHT),)


def test_who_looked_again_decides_about_what_was_in_doubt() -> None:
    seen = found((300, 200, 400, 300, 0.4), (10, 10, 60, 60, 0.9))
    (crop,) = crops_of(seen)
    denied = settled(seen, (crop, Detections.empty()))
    assert denied.scores.tolist() == pytest.approx([0.9])
    there = (300 - crop.left, 200 - crop.top, 400 - crop.left, 300 - crop.top)
    confirmed = settled(seen, (crop, found((*there, 0.8))))
    assert confirmed.scores.tolist() == pytest.approx([0.9, 0.8])
    np.testing.assert_allclose(confirmed.xyxy[1], [300, 200, 400, 300])


def test_doubt_where_nobody_looked_again_stays() -> None:
    seen = found((300, 200, 400, 300, 0.4))
    assert settled(seen).scores.tolist() == pytest.approx([0.4])


def test_what_was_sure_is_not_told_twice() -> None:
    seen = found((300, 200, 400, 300, 0.4), (310, 180, 420, 320, 0.7))
    (crop,) = crops_of(seen)
    again = found((310 - crop.left, 180 - crop.top, 420 - crop.left, 320 - crop.top, 0.6))
    assert settled(seen, (crop, again)).scores.tolist() == pytest.approx([0.7])


def test_a_look_at_everything_replaces_everything() -> None:
    again = found((1, 2, 30, 40, 0.3), label=5)
    seen = found((0, 0, 600, 400, 0.4), (10, 10, 20, 20, 0.99))
    result = settled(seen, (Crop(0, 0, WIDTH, HEIGHT), again))
    assert result.labels.tolist() == [5]


boxes = st.tuples(
    st.floats(0, WIDTH - 8), st.floats(0, HEIGHT - 8), st.floats(2, 300), st.floats(2, 300),
    st.floats(0, 1),
)  # fmt: skip


@given(st.lists(boxes, max_size=30))
def test_crops_lie_in_the_picture_apart_from_each_other(
    things: list[tuple[float, float, float, float, float]],
) -> None:
    seen = found(*((x, y, min(x + w, WIDTH), min(y + h, HEIGHT), s) for x, y, w, h, s in things))
    crops = crops_of(seen)
    assert len(crops) <= MOST_CROPS
    assert bool(crops) == bool(DOUBT.of(seen).any())
    for crop in crops:
        assert 0 <= crop.left < crop.right <= WIDTH
        assert 0 <= crop.top < crop.bottom <= HEIGHT
        assert not crop.left % 2
        assert not crop.top % 2
    covered = sum(crop.width * crop.height for crop in crops)
    assert covered <= WIDTH * HEIGHT
