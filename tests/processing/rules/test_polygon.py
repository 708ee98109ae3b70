"""A point is in a polygon when a ray from it leaves an odd number of times."""

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from processing.rules.polygon import inside

SQUARE = np.array([(0, 0), (4, 0), (4, 4), (0, 4)], np.float64)
grid = st.integers(0, 64).map(lambda n: n / 64)
"""Coordinates whose products floats hold exactly, so that the oracle needs no tolerance."""
points = st.tuples(grid, grid)


def is_inside(point: tuple[float, float], corners: list[tuple[float, float]]) -> bool:
    """Return the same, edge by edge, in fractions."""
    x, y = (Fraction(value) for value in point)
    is_odd = False
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        first = (Fraction(ax), Fraction(ay))
        last = (Fraction(bx), Fraction(by))
        if (first[1] > y) == (last[1] > y):
            continue
        meets_at = first[0] + (y - first[1]) * (last[0] - first[0]) / (last[1] - first[1])
        is_odd ^= x < meets_at
    return is_odd


def test_it_works() -> None:
    places = np.array([(2, 2), (5, 2), (-1, 2), (2, 5)], np.float64)
    assert inside(places, SQUARE).tolist() == [True, False, False, False]


@given(st.lists(points, min_size=3, max_size=12), st.lists(points, min_size=1, max_size=20))
def test_it_agrees_with_exact_arithmetic(
    corners: list[tuple[float, float]], places: list[tuple[float, float]]
) -> None:
    found = inside(np.array(places), np.array(corners))
    assert found.tolist() == [is_inside(place, corners) for place in places]


@given(st.lists(points, min_size=1, max_size=20), grid)
def test_two_halves_share_no_point_and_lose_none(
    places: list[tuple[float, float]], cut: float
) -> None:
    left = np.array([(0, 0), (cut, 0), (cut, 2), (0, 2)])
    right = np.array([(cut, 0), (2, 0), (2, 2), (cut, 2)])
    assert (inside(np.array(places), left) ^ inside(np.array(places), right)).all()


def test_what_has_no_area_holds_nothing() -> None:
    middle = np.array([(1.0, 1.0)])
    for corners in ([(1, 1)] * 3, [(0, 0), (2, 2), (1, 1)], [(0, 1), (1, 1), (2, 1)]):
        assert not inside(middle, np.array(corners, np.float64)).any()


def test_no_points_give_no_answers() -> None:
    assert inside(np.empty((0, 2)), SQUARE).shape == (0,)
