"""Overlaps are intersection over union; the pairing is the best there is."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from processing.tracking.matching import match, overlaps
from processing.vision.geometry import iou_matrix

corners = arrays(np.float64, st.tuples(st.integers(0, 6), st.just(4)), elements=st.floats(0, 100))


def boxes(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n, 4) with its corners in order, and at least a pixel wide and high."""
    low, high = np.minimum(raw[:, :2], raw[:, 2:]), np.maximum(raw[:, :2], raw[:, 2:])
    return np.hstack((low, high + 1.0))


@given(corners, corners)
def test_overlaps_are_those_that_geometry_says(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
) -> None:
    a, b = boxes(first), boxes(second)
    expected = iou_matrix(a.astype(np.float32), b.astype(np.float32))
    np.testing.assert_allclose(overlaps(a.T, b.T), expected, atol=1e-4)


def test_boxes_without_an_area_overlap_nothing() -> None:
    dots = np.array([[1.0, 1.0, 1.0, 1.0], [5.0, 5.0, 2.0, 2.0]]).T
    assert (overlaps(dots, dots) == 0.0).all()


@given(arrays(np.float64, (3, 4), elements=st.sampled_from([0.0, 0.125, 0.25, 0.5, 1.0])))
def test_no_other_pairing_weighs_more(
    weights: NDArray[np.float64],
) -> None:
    rows, columns = match(weights)
    assert (weights[rows, columns] > 0.0).all()
    best = max(
        sum(weights[row, column[row]] for row in range(3)) for column in permutations(range(4), 3)
    )
    assert weights[rows, columns].sum() == best


def test_nothing_pairs_with_nobody() -> None:
    for shape in ((0, 0), (0, 3), (3, 0)):
        rows, columns = match(np.zeros(shape))
        assert len(rows) == len(columns) == 0
