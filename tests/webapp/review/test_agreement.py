"""How far people agree equals what reference libraries say of the same cases."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import cohen_kappa_score  # type: ignore[import-untyped]

from webapp.review.agreement import Work, agreed, by_class, f1, kappa, with_others
from webapp.review.boxes import Box
from webapp.review.matching import match_boxes, overlap

A_CAR = Box((0.1, 0.1, 0.3, 0.3), "car")
NEARLY = Box((0.12, 0.1, 0.32, 0.3), "car")
A_PERSON = Box((0.5, 0.5, 0.6, 0.9), "person")
EMPTY, UNSURE = Work(), Work(is_ambiguous=True)

_corners = st.tuples(st.integers(0, 6), st.integers(0, 6)).map(lambda xy: (xy[0] / 20, xy[1] / 20))
_crowds = st.lists(
    st.builds(
        lambda corner, side, label: Box((*corner, corner[0] + side, corner[1] + side), label),
        _corners,
        st.sampled_from([0.2, 0.25, 0.3]),
        st.sampled_from(["car", "person"]),
    ),
    max_size=9,
)


@given(_crowds, _crowds)
def test_boxes_are_matched_as_scipy_would(ours: list[Box], theirs: list[Box]) -> None:
    matches = match_boxes(ours, theirs, iou=0.5)
    for side in ([match.ours for match in matches], [match.theirs for match in matches]):
        assert len(set(side)) == len(side)
    gains = np.zeros((len(ours), len(theirs)))
    for i, our in enumerate(ours):
        for j, their in enumerate(theirs):
            iou = overlap(our.xyxy, their.xyxy)
            gains[i, j] = iou if our.label == their.label and iou >= 0.5 else 0.0
    best = gains[linear_sum_assignment(gains, maximize=True)].sum()
    assert sum(match.iou for match in matches) == pytest.approx(best)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=1))
def test_kappa_is_scikit_learns(ratings: list[tuple[str, str]]) -> None:
    ours, theirs = zip(*ratings, strict=True)
    if len({*ours, *theirs}) == 1:
        assert kappa(ratings) is None
    else:
        assert kappa(ratings) == pytest.approx(cohen_kappa_score(ours, theirs))


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (EMPTY, EMPTY, 1.0),
        (UNSURE, UNSURE, 1.0),
        (UNSURE, EMPTY, 0.0),
        (Work([A_CAR]), EMPTY, 0.0),
        (Work([A_CAR]), Work([NEARLY]), 1.0),
        (Work([A_CAR, A_PERSON]), Work([NEARLY]), 2 / 3),
        (Work([A_CAR], frozenset({"rain"})), Work([A_CAR]), 2 / 3),
    ],
)
def test_f1_of_two(ours: Work, theirs: Work, expected: float) -> None:
    assert f1(ours, theirs, iou=0.5) == pytest.approx(expected)
    assert f1(theirs, ours, iou=0.5) == pytest.approx(expected)


def test_each_of_several_agrees_with_the_others_on_average() -> None:
    works = [Work([A_CAR]), Work([NEARLY]), Work([A_PERSON])]
    assert with_others(works, iou=0.5) == [0.5, 0.5, 0.0]


def test_what_all_say_lies_where_the_middle_of_theirs_is() -> None:
    far = Box((0.1, 0.1, 0.34, 0.3), "car")
    same = agreed(
        [Work([A_CAR, A_PERSON]), Work([A_PERSON, NEARLY]), Work([far, A_PERSON])], iou=0.5
    )
    assert same is not None
    assert same.boxes == [Box((0.1, 0.1, 0.32, 0.3), "car"), A_PERSON]


def test_an_outline_is_kept() -> None:
    drawn = Box(A_CAR.xyxy, "car", polygon=((0.1, 0.1), (0.3, 0.1), (0.2, 0.3)))
    same = agreed([Work([NEARLY]), Work([drawn])], iou=0.5)
    assert same is not None
    assert same.boxes == [drawn]


def test_who_differs_from_anybody_agrees_on_nothing() -> None:
    chain = [Box((x, 0.1, x + 0.3, 0.4), "car") for x in (0.10, 0.17, 0.24)]
    assert all(overlap(a.xyxy, b.xyxy) >= 0.5 for a, b in pairwise(chain))
    assert agreed([Work([box]) for box in chain], iou=0.5) is None


def test_each_class_has_its_own_figures() -> None:
    as_a_truck = Box(A_CAR.xyxy, "truck")
    figures = by_class(
        [(Work([A_CAR, A_PERSON]), Work([NEARLY])), (Work([A_CAR]), Work([as_a_truck]))], iou=0.5
    )
    car, person, truck = sorted(figures, key=lambda each: each.label)
    assert [each.n_things for each in (car, person, truck)] == [2, 1, 1]
    assert [each.f1 for each in (car, person, truck)] == pytest.approx([2 / 3, 0.0, 0.0])
    assert car.kappa == truck.kappa == 0.0  # of two cars that both found, one is a truck to one
