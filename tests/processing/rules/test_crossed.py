"""A line is crossed once by whoever goes over it, and told with the way they went."""

from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.wire.scene import Crossed, Line, Scene
from tests.processing.rules.stage import FENCE, LABELS, Stage, Thing, rule

EITHER = Crossed(line_id=FENCE.line_id)
Way = Literal["forward", "backward", "either"]


def walk(stage: Stage, *xs: float, y: float = 300.0, track: int = 7) -> None:
    """Put a thing's foot at each x in turn; the fence is at 500."""
    for x in xs:
        stage.play(Thing(track, x, y))


def stage_with(line: Line) -> Stage:
    """Return a stage with another fence."""
    stage = Stage([])
    stage.book.tune(Scene(lines=(line,), rules=(rule(EITHER),)), labels=LABELS, camera_name="Quay")
    return stage


def test_it_works() -> None:
    stage = Stage([rule(EITHER, name="Over the fence")])
    walk(stage, 400, 450, 520, 600)
    [crossing] = stage.told
    assert crossing.phase == "once"
    assert crossing.title == "Person crossed Fence"
    assert crossing.detail == (
        "A person crossed Fence forward, from its left to its right "
        "(track 7, best score 0.80); rule 'Over the fence'"
    )
    assert (crossing.tracks, crossing.best, crossing.at) == ((7,), 0, crossing.started_at)


@pytest.mark.parametrize(
    ("direction", "n_there", "n_back"),
    [("forward", 1, 0), ("backward", 0, 1), ("either", 1, 1)],
)
def test_only_the_wanted_direction_is_told(direction: Way, n_there: int, n_back: int) -> None:
    stage = Stage([rule(Crossed(line_id=FENCE.line_id, direction=direction))])
    walk(stage, 400, 600)
    assert len(stage.told) == n_there
    walk(stage, 400)
    assert len(stage.told) == n_there + n_back


def test_who_dithers_on_the_line_crosses_once() -> None:
    stage = Stage([rule(EITHER)])
    walk(stage, 400, *[497, 503] * 20, 600)
    assert len(stage.told) == 1


def test_who_turns_back_on_the_line_has_not_crossed() -> None:
    stage = Stage([rule(EITHER)])
    walk(stage, 400, *[497, 503] * 20, 400, 300)
    assert stage.told == []


def test_who_goes_round_the_end_has_not_crossed() -> None:
    stage = stage_with(Line(line_id=FENCE.line_id, name="Short", start=(0.5, 1.0), end=(0.5, 0.7)))
    walk(stage, 400, 600, y=300.0)
    assert stage.told == []
    walk(stage, 400, 600, y=400.0)
    assert len(stage.told) == 2


def test_each_of_two_that_cross_together_is_told() -> None:
    stage = Stage([rule(EITHER)])
    for x in (400, 600):
        stage.play(Thing(1, x, 300), Thing(2, x, 400))
    assert [happening.tracks for happening in stage.told] == [(1,), (2,)]


def test_a_rest_swallows_what_crosses_in_it() -> None:
    stage = Stage([rule(EITHER, quiet_s=10.0)])
    for track in range(1, 200):
        walk(stage, 400, 600, track=track)
    gaps = [b.at - a.at for a, b in pairwise(stage.told)]
    assert len(gaps) > 5
    assert all(gap.total_seconds() >= 10.0 for gap in gaps)


def test_a_line_without_length_is_never_crossed() -> None:
    stage = stage_with(Line(line_id=FENCE.line_id, name="Dot", start=(0.5, 0.5), end=(0.5, 0.5)))
    walk(stage, 400, 600, 400)
    assert stage.told == []


@given(st.lists(st.floats(0, 1000), min_size=2, max_size=40))
def test_crossings_alternate_and_say_where_the_thing_is(xs: list[float]) -> None:
    stage = Stage([rule(EITHER)])
    walk(stage, *xs)
    ways = ["forward" if " forward" in happening.detail else "backward" for happening in stage.told]
    assert all(a != b for a, b in pairwise(ways))
    clear = [x for x in xs[1:] if abs(x - 500.0) >= 8.0]
    if clear:
        is_right = clear[-1] >= 500.0
        home_right = xs[0] >= 500.0
        assert is_right == (ways[-1] == "forward" if ways else home_right)
