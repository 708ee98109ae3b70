"""Overlaps and clipping of boxes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from processing.vision.detections import Boxes
from processing.vision.geometry import areas, clip, iou_matrix


@st.composite
def boxes(draw: st.DrawFn) -> Boxes:
    numbers = st.integers(-50, 150)
    corners = draw(st.lists(st.tuples(numbers, numbers, numbers, numbers), max_size=8))
    raw = np.array(corners, np.float32).reshape(-1, 2, 2)
    return np.sort(raw, axis=1).reshape(-1, 4)


def test_it_works() -> None:
    first = np.array([[0, 0, 10, 10]], np.float32)
    second = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], np.float32)
    np.testing.assert_allclose(iou_matrix(first, second), [[1.0, 1 / 3, 0.0]])


def test_empty_boxes_overlap_nothing_not_even_themselves() -> None:
    empty = np.array([[3, 3, 3, 3]], np.float32)
    assert iou_matrix(empty, empty).tolist() == [[0.0]]


def test_a_box_turned_inside_out_has_no_area() -> None:
    assert areas(np.array([[10, 10, 0, 20]], np.float32)).tolist() == [0.0]


@given(boxes(), boxes())
def test_overlap_is_a_share_and_the_same_both_ways(first: Boxes, second: Boxes) -> None:
    overlaps = iou_matrix(first, second)
    assert overlaps.shape == (len(first), len(second))
    assert ((overlaps >= 0.0) & (overlaps <= 1.0)).all()
    np.testing.assert_array_equal(overlaps, iou_matrix(second, first).T)


@given(boxes())
def test_clipped_boxes_lie_in_the_picture_and_only_shrink(some: Boxes) -> None:
    clipped = clip(some, width=100, height=80)
    assert (clipped >= 0.0).all()
    assert (clipped <= np.array([100, 80, 100, 80])).all()
    assert (areas(clipped) <= areas(some)).all()
