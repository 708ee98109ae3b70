"""Which frames are kept for learning: doubtful ones, a share at random, never too many."""

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.pipeline.samples import Keep, Turn, decide
from processing.vision.detections import Detections
from processing.wire.camera import SamplePolicy

START = datetime(2026, 11, 22, 12, tzinfo=UTC)
NEVER_RANDOM = SamplePolicy(random_share=0.0)


def seen(*scores: float, track: int = 1) -> Detections:
    n = len(scores)
    return Detections(
        np.zeros((n, 4), np.float32),
        np.array(scores, np.float32),
        np.zeros(n, np.int32),
        np.full(n, track, np.int64),
    )


def run(
    policy: SamplePolicy, frames: list[Detections], *, every_s: float = 0.1, seed: int = 1
) -> list[Keep | None]:
    turn: Turn | None = None
    dice = random.Random(seed)
    kept = []
    for n, tracked in enumerate(frames):
        at = START + timedelta(seconds=n * every_s)
        keep, turn = decide(policy, turn, tracked, at=at, dice=dice.random)
        kept.append(keep)
    return kept


def test_it_works() -> None:
    [keep] = run(NEVER_RANDOM, [seen(0.9, 0.3, 0.4)])
    assert keep is not None
    assert keep.reason == "low_confidence"
    assert keep.score == pytest.approx(0.3)


@pytest.mark.parametrize("tracked", [seen(), seen(0.9), seen(0.1), seen(0.3, track=0)])
def test_without_doubt_about_a_track_nothing_is_kept(tracked: Detections) -> None:
    assert run(NEVER_RANDOM, [tracked] * 200) == [None] * 200


def test_what_is_disputed_is_kept_without_any_doubt() -> None:
    keep, turn = decide(NEVER_RANDOM, None, seen(0.9), at=START, dice=lambda: 0.5, is_disputed=True)
    assert keep is not None
    assert (keep.reason, round(keep.score, 3)) == ("low_confidence", 0.9)
    again, _ = decide(NEVER_RANDOM, turn, seen(), at=START, dice=lambda: 0.5, is_disputed=True)
    assert again is None, "one in the time"


def test_at_most_one_is_kept_in_the_time() -> None:
    kept = run(SamplePolicy(every_s=2.0), [seen(0.3)] * 100)  # 10 s
    assert sum(keep is not None for keep in kept) == 5


def test_a_share_is_taken_at_random() -> None:
    kept = [keep for keep in run(SamplePolicy(every_s=0.1), [seen(0.3)] * 5000) if keep]
    share = sum(keep.reason == "random" for keep in kept) / len(kept)
    assert share == pytest.approx(0.1, abs=0.02)


def test_random_ones_do_not_wait_for_doubt() -> None:
    kept = run(SamplePolicy(every_s=1.0, random_share=1.0), [seen()] * 30)
    assert [keep.reason for keep in kept if keep] == ["random"] * 3


def test_a_clock_that_goes_back_does_not_stop_it() -> None:
    keep, turn = decide(NEVER_RANDOM, None, seen(0.3), at=START, dice=lambda: 0.5)
    assert keep is not None
    before = START - timedelta(days=1)
    keep, _ = decide(NEVER_RANDOM, turn, seen(0.3), at=before, dice=lambda: 0.5)
    assert keep is not None


@given(scores=st.lists(st.floats(0, 2, width=32), max_size=5), is_random=st.booleans())
def test_the_score_is_always_one_that_the_wire_takes(
    scores: list[float], *, is_random: bool
) -> None:
    policy = SamplePolicy(random_share=float(is_random), high_score=1.0, low_score=0.0)
    for keep in run(policy, [seen(*scores)] * 3):
        assert keep is None or 0.0 <= keep.score <= 1.0
