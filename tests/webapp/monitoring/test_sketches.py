"""A sketch says how values are spread, and knows no order."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.monitoring.sketches import GREATEST, RELATIVE_ERROR, BadSketch, Sketch, merged

VALUES = st.lists(st.floats(0, GREATEST, allow_nan=False), min_size=1, max_size=60)


def test_it_works() -> None:
    sketch = Sketch.of([0.1, 0.2, 0.3, 0.4, 0.5])
    assert (sketch.n, sketch.minimum, sketch.maximum) == (5, 0.1, 0.5)
    assert sketch.mean == pytest.approx(0.3)
    assert sketch.quantile(0.5) == pytest.approx(0.3, rel=RELATIVE_ERROR)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_quantiles_are_as_near_as_promised(share: float) -> None:
    dice = Random(1)
    values = sorted(dice.lognormvariate(3, 2) for _ in range(5_000))
    exact = values[max(0, -(-int(share * 5_000 * 1000) // 1000) - 1)]
    assert Sketch.of(values).quantile(share) == pytest.approx(exact, rel=1.01 * RELATIVE_ERROR)


@given(st.lists(VALUES, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_whatever_the_order_of_values_and_of_merging_the_bytes_are_the_same(
    parts: list[list[float]], dice: Random
) -> None:
    whole = Sketch.of(value for part in parts for value in part).encode()
    sketches = [Sketch.of(dice.sample(part, len(part))) for part in parts]
    dice.shuffle(sketches)
    while len(sketches) > 1:
        pair = [sketches.pop(), sketches.pop()]
        sketches.insert(0, Sketch.decode(merged(pair).encode()))
    assert sketches[0].encode() == whole


@given(VALUES)
def test_a_quantile_lies_between_the_least_and_the_most(values: list[float]) -> None:
    sketch = Sketch.of(values)
    found = [sketch.quantile(share / 10) for share in range(11)]
    assert found == sorted(found)
    assert sketch.minimum <= found[0]
    assert found[-1] <= sketch.maximum


def test_a_picture_of_one_colour_all_day_is_a_few_bytes() -> None:
    assert len(Sketch.of([0.0] * 8_640).encode()) < 20


def test_bytes_that_are_no_sketch_are_refused() -> None:
    with pytest.raises(BadSketch):
        Sketch.decode(b"\xc1")
