"""A labeler who goes bad is flagged soon; good ones are not, as often as was promised."""

from collections.abc import Sequence
from random import Random

import pytest

from webapp.review.flagging import STAKES_OF_A_FLAG, stakes

TOLERATED = 0.05


def flagged_after(errors: Sequence[float]) -> int | None:
    """Return how many judged verdicts it took."""
    now: list[float] = []
    for error in errors:
        now.append(error)
        if stakes(now, tolerated=TOLERATED) >= STAKES_OF_A_FLAG:
            return len(now)
    return None


def labeler(seed: int, *, wrong: float, n: int = 200) -> list[float]:
    draw = Random(seed)
    return [float(draw.random() < wrong) for _ in range(n)]


def test_who_flips_a_fifth_is_flagged_within_200() -> None:
    after = [flagged_after(labeler(seed, wrong=0.2)) for seed in range(100)]
    assert None not in after
    assert sorted(n or 0 for n in after)[50] < 60


@pytest.mark.parametrize("wrong", [0.0, 0.02])
def test_good_ones_are_not(wrong: float) -> None:
    assert {flagged_after(labeler(seed, wrong=wrong)) for seed in range(100)} == {None}


def test_who_errs_just_as_often_as_is_tolerated_is_seldom_flagged() -> None:
    n_flagged = sum(
        flagged_after(labeler(seed, wrong=TOLERATED)) is not None for seed in range(200)
    )
    assert n_flagged / 200 <= 200 / STAKES_OF_A_FLAG


def test_what_was_well_done_long_ago_is_no_cushion() -> None:
    soon = flagged_after(labeler(7, wrong=0.2))
    assert soon is not None
    assert flagged_after([0.0] * 300 + labeler(7, wrong=0.2)) == 300 + soon


def test_a_picture_half_wrong_counts_half() -> None:
    assert flagged_after([0.5] * 200) is not None
    assert flagged_after([0.04] * 200) is None
