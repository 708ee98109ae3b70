"""How far a picture is from others, to a network: 0 alike, never below, never above 1."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.vision.embeddings import distance_to_nearest

HALVES = st.floats(-100.0, 100.0, width=16)


def packed(*values: float) -> bytes:
    return np.array(values, "<f2").tobytes()


def test_it_works() -> None:
    others = [packed(0.0, 1.0), packed(1.0, 1.0)]
    assert distance_to_nearest(packed(1.0, 0.0), others) == pytest.approx(1 - 0.5**0.5, abs=1e-3)


def test_how_long_they_are_does_not_matter() -> None:
    assert distance_to_nearest(packed(3.0, 4.0), [packed(6.0, 8.0)]) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("others", [[], [b""], [packed(0.0, 0.0)], [packed(-1.0, 0.0)]])
def test_what_says_nothing_or_the_opposite_is_far(others: list[bytes]) -> None:
    assert distance_to_nearest(packed(1.0, 0.0), others) == 1.0


@given(st.lists(st.lists(HALVES, min_size=4, max_size=4), min_size=2, max_size=6))
def test_the_nearest_of_more_is_never_farther(vectors: list[list[float]]) -> None:
    own, *others = (packed(*vector) for vector in vectors)
    far = distance_to_nearest(own, others)
    assert 0.0 <= far <= distance_to_nearest(own, others[:1])
