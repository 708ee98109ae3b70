"""Which frames are kept for learning: a decision without clock, dice or memory of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from processing.vision.detections import Detections
from processing.wire.camera import SamplePolicy


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch in which at most one frame is kept, and of which kind."""

    opens_at: datetime
    closes_at: datetime
    is_random: bool


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep this frame."""

    reason: Literal["low_confidence", "random"]
    score: float
    """The lowest doubtful score in the picture; without doubt its lowest one, 1 if it is empty."""


def next_turn(policy: SamplePolicy, *, opens_at: datetime, dice: float) -> Turn:
    """Return the turn that begins at `opens_at`; `dice` is uniform in 0..1.

    The kind is settled before the frames are seen, so that random ones stay random however much
    doubt there is.
    """
    lasts = timedelta(seconds=max(policy.every_s, 1e-6))
    return Turn(opens_at, opens_at + lasts, is_random=dice < policy.random_share)


def consider(
    policy: SamplePolicy,
    turn: Turn,
    tracked: Detections,
    *,
    at: datetime,
    is_disputed: bool = False,
) -> Keep | None:
    """Return why to keep the frame taken at `at`, or None.

    What is disputed, by who looked as well, is in doubt however sure either of them is.
    """
    if at < turn.opens_at:
        return None
    doubtful = _doubtful_scores(policy, tracked)
    lowest = min(doubtful or [float(score) for score in tracked.scores], default=1.0)
    score = min(max(lowest, 0.0), 1.0)
    if turn.is_random:
        return Keep("random", score)
    return Keep("low_confidence", score) if doubtful or is_disputed else None


def decide(
    policy: SamplePolicy,
    turn: Turn | None,
    tracked: Detections,
    *,
    at: datetime,
    dice: Callable[[], float],
    is_disputed: bool = False,
) -> tuple[Keep | None, Turn]:
    """Return whether to keep this frame, and the turn to pass with the next one.

    Begin with no turn. A turn that found nothing ends after `every_s` and the dice roll again.
    """
    rest = timedelta(seconds=policy.every_s)
    # A turn that opens later than `every_s` from now was made by a clock that has gone back.
    if turn is None or at >= turn.closes_at or at + rest < turn.opens_at:
        turn = next_turn(policy, opens_at=at, dice=dice())
    keep = consider(policy, turn, tracked, at=at, is_disputed=is_disputed)
    if keep is None:
        return None, turn
    return keep, next_turn(policy, opens_at=at + rest, dice=dice())


def _doubtful_scores(policy: SamplePolicy, tracked: Detections) -> list[float]:
    scores, tracks = tracked.scores, tracked.tracks
    doubtful = (tracks != 0) & (scores >= policy.low_score) & (scores <= policy.high_score)
    return [float(score) for score in scores[doubtful]]
