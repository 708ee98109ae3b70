"""MOTA and IDF1 on cases that a person can work out."""

from collections.abc import Mapping
from math import isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.evaluation.tracking import Sighting, TrackingQuality, measure_tracking

Places = Mapping[int, float]
"""Number and x of things that are 10 wide and 10 high, side by side on one line."""


def sighting(places: Places) -> Sighting:
    boxes = [(x, 0, x + 10, 10) for x in places.values()]
    return Sighting(np.array(boxes, np.float32).reshape(-1, 4), np.array(list(places), np.int64))


def measure(*frames: tuple[Places, Places]) -> TrackingQuality:
    return measure_tracking((sighting(truth), sighting(found)) for truth, found in frames)


def test_it_works() -> None:
    quality = measure(*[({1: 0, 2: 50}, {7: 1, 8: 49})] * 4)
    assert quality == TrackingQuality(
        mota=1.0, idf1=1.0, n_switches=0, n_missed=0, n_false=0, n_truth=8
    )


def test_every_kind_of_mistake_counts_once() -> None:
    quality = measure(
        ({1: 0, 2: 50}, {7: 0, 8: 50}),
        ({1: 0, 2: 50}, {7: 0}),  # 2 is missed
        ({1: 0, 2: 50}, {7: 0, 8: 50, 9: 90}),  # 9 is false
        ({1: 0, 2: 50}, {7: 0, 5: 50}),  # 2 goes on as 5
    )
    assert (quality.n_missed, quality.n_false, quality.n_switches) == (1, 1, 1)
    assert quality.mota == pytest.approx(1 - 3 / 8)
    # Best: 1 is 7 (4 frames), 2 is 8 (2 frames). 2 x 6 / (8 in truth + 8 found).
    assert quality.idf1 == pytest.approx(12 / 16)


def test_two_that_swap_numbers_are_two_switches() -> None:
    before, after = ({1: 0, 2: 50}, {7: 0, 8: 50}), ({1: 0, 2: 50}, {8: 0, 7: 50})
    quality = measure(before, before, before, after)
    assert quality.n_switches == 2
    assert quality.mota == pytest.approx(1 - 2 / 8)
    assert quality.idf1 == pytest.approx(6 / 8)


def test_a_pair_that_holds_is_not_broken_for_a_closer_one() -> None:
    quality = measure(({1: 0}, {7: 0}), ({1: 0}, {7: 3, 8: 0}))
    assert (quality.n_switches, quality.n_false) == (0, 1)


def test_a_thing_that_comes_back_under_another_number_is_a_switch() -> None:
    quality = measure(({1: 0}, {7: 0}), ({}, {}), ({1: 0}, {8: 0}))
    assert quality.n_switches == 1


def test_a_box_that_is_half_off_is_missed_and_false() -> None:
    quality = measure(({1: 0}, {7: 4}))
    assert (quality.n_missed, quality.n_false, quality.mota) == (1, 1, -1.0)


def test_without_anything_to_find_there_is_no_figure() -> None:
    assert isnan(measure(({}, {})).mota)
    assert isnan(measure(({}, {})).idf1)
    assert measure(({}, {7: 0})).idf1 == 0.0


places = st.dictionaries(st.integers(1, 5), st.integers(0, 20).map(lambda n: 5.0 * n), max_size=5)


@given(st.lists(st.tuples(places, places), max_size=12))
def test_the_parts_add_up(frames: list[tuple[Places, Places]]) -> None:
    quality = measure(*frames)
    n_found = sum(len(found) for _, found in frames)
    assert quality.n_truth - quality.n_missed == n_found - quality.n_false >= 0
    if quality.n_truth:
        wrong = quality.n_missed + quality.n_false + quality.n_switches
        assert quality.mota == pytest.approx(1 - wrong / quality.n_truth)
        assert 0.0 <= quality.idf1 <= 1.0


@given(st.lists(places, min_size=1, max_size=12), st.permutations([1, 2, 3, 4, 5]))
def test_other_names_for_the_same_are_perfect(frames: list[Places], names: list[int]) -> None:
    apart = [{n: 5.0 * 4 * n for n in frame} for frame in frames]
    renamed = [{10 + names[n - 1]: x for n, x in frame.items()} for frame in apart]
    quality = measure(*zip(apart, renamed, strict=True))
    assert quality.n_switches == 0
    if quality.n_truth:
        assert quality.mota == quality.idf1 == 1.0
