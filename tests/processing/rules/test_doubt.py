"""What was never more than doubtful is no event's beginning; what was sure once may be one."""

from datetime import timedelta

import numpy as np
import pytest

from processing.rules.happening import Happening
from processing.rules.peaks import Peaks
from processing.wire.scene import Crossed, InZone, Tampered
from tests.processing.rules.stage import (
    EVERY_S,
    FENCE,
    GATE,
    HEIGHT,
    IN_GATE,
    OUTSIDE,
    START,
    WIDTH,
    Stage,
    Thing,
    rule,
    seen,
)

CONFIDENT = 0.4
IN_ZONE = rule(InZone(zone_id=GATE.zone_id, after_s=0.0))
CROSSED = rule(Crossed(line_id=FENCE.line_id))


def show(stage: Stage, *things: Thing, tampered: str | None = None) -> list[Happening]:
    """Show one frame to a camera with a threshold."""
    stage.at += timedelta(seconds=EVERY_S)
    return stage.book.look(
        seen(things),
        width=WIDTH,
        height=HEIGHT,
        at=stage.at,
        tampered=tampered,
        confident=CONFIDENT,
    )


def test_no_event_begins_with_a_thing_that_was_only_ever_doubtful() -> None:
    stage = Stage([IN_ZONE])
    assert not [word for _ in range(20) for word in show(stage, Thing(1, *IN_GATE, score=0.16))]


def test_it_begins_as_soon_as_the_thing_is_sure() -> None:
    stage = Stage([IN_ZONE])
    show(stage, Thing(1, *IN_GATE, score=0.16))
    (word,) = show(stage, Thing(1, *IN_GATE, score=CONFIDENT))
    assert word.phase == "start"
    assert word.score == pytest.approx(CONFIDENT)


def test_a_thing_that_was_sure_before_may_be_doubtful_when_it_comes_into_the_zone() -> None:
    stage = Stage([IN_ZONE])
    show(stage, Thing(1, *OUTSIDE, score=0.7))
    (word,) = show(stage, Thing(1, *IN_GATE, score=0.16))
    assert word.phase == "start"
    assert "best score 0.70" in word.detail


def test_an_event_that_runs_goes_on_with_doubtful_things() -> None:
    stage = Stage([IN_ZONE])
    show(stage, Thing(1, *IN_GATE))
    words = [word for _ in range(30) for word in show(stage, Thing(1, *IN_GATE, score=0.16))]
    assert "end" not in [word.phase for word in words]


@pytest.mark.parametrize(("score", "n_told"), [(0.16, 0), (0.7, 1)])
def test_a_line_is_crossed_by_what_was_sure_before(score: float, n_told: int) -> None:
    stage = Stage([CROSSED])
    show(stage, Thing(1, 400.0, 300.0, score=score))
    told = show(stage, Thing(1, 600.0, 300.0, score=0.16))
    assert len(told) == n_told
    assert all(f"best score {score:.2f}" in word.detail for word in told)


def test_a_camera_that_is_covered_needs_no_score() -> None:
    stage = Stage([rule(Tampered(after_s=0.0))])
    (word,) = show(stage, tampered="covered")
    assert word.phase == "start"


def test_best_scores_of_what_left_long_ago_are_forgotten() -> None:
    peaks = Peaks()
    track, sure, doubtful = np.array([7]), np.array([0.9], np.float32), np.array([0.2], np.float32)
    assert peaks.look(track, sure, START) == pytest.approx(0.9)
    assert peaks.look(track, doubtful, START + timedelta(seconds=50)) == pytest.approx(0.9)
    nothing = np.empty(0, np.int64), np.empty(0, np.float32)
    peaks.look(*nothing, START + timedelta(seconds=111))
    assert peaks.look(track, doubtful, START + timedelta(seconds=112)) == pytest.approx(0.2)
