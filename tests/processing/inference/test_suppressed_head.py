"""What a network kept is read; what it may say wrongly does no harm."""

import numpy as np
import pytest
from numpy.typing import NDArray

from processing.inference.heads.decoder import Unfit
from processing.inference.heads.suppressed import SuppressedDecoder, SuppressedHead
from processing.inference.thresholds import Thresholds

HEAD = SuppressedHead(boxes="boxes", scores="scores", kept="kept")
BOXES = np.array([[0, 0, 4, 4], [1, 1, 5, 5], [2, 2, 6, 6]], np.float32)
SCORES = np.array([[0.1, 0.6, 0.3], [0.9, 0.0, 0.4]], np.float32)


def decoder(*, floor: float = 0.05, most: int = 10) -> SuppressedDecoder:
    return SuppressedDecoder(HEAD, 2, Thresholds(score_floor=floor, max_detections=most))


def kept(*rows: tuple[float, float, float]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(-1, 3)


def test_it_works() -> None:
    found = decoder()((BOXES, SCORES, kept((0, 0, 2), (0, 1, 0), (0, 0, 1))))
    assert found.labels.tolist() == [1, 0, 0]
    assert found.scores.tolist() == pytest.approx([0.9, 0.6, 0.3])
    assert found.xyxy.tolist() == BOXES[[0, 1, 2]].tolist()


def test_nothing_kept_is_nothing_found() -> None:
    assert len(decoder()((BOXES, SCORES, kept()))) == 0


def test_the_best_ones_stay_where_there_are_too_many() -> None:
    found = decoder(most=1)((BOXES, SCORES, kept((0, 0, 2), (0, 1, 0), (0, 0, 1))))
    assert found.scores.tolist() == pytest.approx([0.9])


def test_what_is_not_above_the_floor_or_no_box_is_left_out() -> None:
    boxes = BOXES.copy()
    boxes[1, 2] = np.nan
    found = decoder(floor=0.3)((boxes, SCORES, kept((0, 0, 1), (0, 0, 2), (0, 1, 2))))
    assert found.scores.tolist() == pytest.approx([0.4])


@pytest.mark.parametrize("row", [(0, 0, 99), (0, 9, 0), (0, -3, -3)])
def test_a_network_that_points_anywhere_does_no_harm(row: tuple[float, float, float]) -> None:
    assert len(decoder()((BOXES, SCORES, kept(row)))) <= 1


@pytest.mark.parametrize(
    ("shapes", "says"),
    [
        ({"scores": (2, 3), "kept": (-1, 3)}, "no output 'boxes'"),
        ({"boxes": (3, 5), "scores": (2, 3), "kept": (-1, 3)}, "'boxes' has the shape"),
        ({"boxes": (3, 4), "scores": (3, 2), "kept": (-1, 3)}, "'scores' has the shape"),
        ({"boxes": (3, 4), "scores": (2, 3), "kept": (3,)}, "'kept' has the shape"),
    ],
)
def test_shapes_that_do_not_fit_are_named(shapes: dict[str, tuple[int, ...]], says: str) -> None:
    with pytest.raises(Unfit, match=says):
        decoder().check(shapes)


def test_shapes_that_fit_are_taken() -> None:
    decoder().check({"boxes": (3, 4), "scores": (2, 3), "kept": (-1, 3)})
