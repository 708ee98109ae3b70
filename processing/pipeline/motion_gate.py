"""Decides which frames the network need not see, because nothing in them can have changed.

It errs on the side of looking: it opens at once for motion and stays open a while, looks again
and again at what is tracked, so that the tracker never forgets it, and looks at intervals even if
nothing ever moves.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np

from processing.pipeline.background import Background, Difference, Mask
from processing.pipeline.small_luma import halved
from processing.vision.detections import Boxes
from processing.vision.frame import Plane
from processing.wire.camera import MotionGate as GatePolicy

Why = Literal[
    "off", "learning", "clock", "light", "motion", "near_track", "linger", "tracked", "interval",
    "still",
]  # fmt: skip
"""Why to look; `still` is why not."""

_BELOW_ROWS: Final = 170
"""So 85 to 169 rows: a person of 3 % of the picture's height is still three of them."""
_LEAST_PIXELS: Final = 3
_LEAST_NEAR: Final = 2
_LINGER_S: Final = 1.5
"""After motion: what has just stopped is looked at until it is tracked."""
_TRACKED_EVERY_S: Final = 1.0
"""The tracker forgets what it has not seen for two seconds."""
_LONGEST_STEP_S: Final = 1.0
"""What a frame after a long silence counts for, in learning."""
_NEARBY: Final = 0.25
"""How far around a tracked box is its neighbourhood, in its sides."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What the gate says of a frame; true when the network should look at it."""

    why: Why
    motion: float
    """Share of the picture that moves, 0..1."""

    def __bool__(self) -> bool:
        return self.why != "still"


class MotionGate:
    """Of one camera. Call `look` once a frame, in order of time, from one thread."""

    def __init__(self, policy: GatePolicy) -> None:
        self._policy = policy
        self._background: Background | None = None
        self._before_at: datetime | None = None
        self._looked_at: datetime | None = None
        self._moved_at: datetime | None = None
        self._is_second_due = False
        self.motion = 0.0
        """Share of the last picture that moved, 0..1; known whether the gate is on or not."""

    def tune(self, policy: GatePolicy) -> None:
        """Go on with another policy; what was learnt stays."""
        self._policy = policy

    def look(self, luma: Plane, at: datetime, tracked: Boxes) -> Glance:
        """Return whether to look at the frame with this luma, taken at `at` (aware UTC).

        `tracked` are the boxes (n, 4), in pixels of `luma`, of all tracks that are confirmed now,
        found in the frame that was looked at last or expected in this one.
        """
        step = 0.0 if self._before_at is None else (at - self._before_at).total_seconds()
        small = halved(luma, below=_BELOW_ROWS)
        near = _neighbourhood(tracked, luma.shape, small.shape) if len(tracked) else None
        difference = self._compare(small, step, near)
        self.motion = 0.0 if difference is None else difference.share
        why = self._why(difference, near, at, step)
        self._before_at = at
        if why != "still":
            # The tracker confirms at second sight, and forgets what it saw once an interval ago.
            self._is_second_due = why == "interval" and not self._is_second_due
            self._looked_at = at
        return Glance(why, self.motion)

    def _compare(self, small: Plane, step: float, near: Mask | None) -> Difference | None:
        """Return the difference; None while there is nothing to compare with."""
        if self._background is None or self._background.shape != small.shape:
            self._background = Background(small)
            return None
        seconds = min(max(step, 0.0), _LONGEST_STEP_S)
        is_sure = self._background.is_sure
        difference = self._background.compare(small, seconds=seconds, tracked=near)
        return difference if is_sure else None

    def _why(
        self, difference: Difference | None, near: Mask | None, at: datetime, step: float
    ) -> Why:
        if not self._policy.is_on:
            return "off"
        if step < 0.0:
            # All instants kept are of another time.
            self._moved_at = None
            return "clock"
        if difference is None:
            return "learning"
        moved = _what_moved(difference, near)
        if moved is not None:
            self._moved_at = at
            return moved
        if self._moved_at is not None and (at - self._moved_at).total_seconds() <= _LINGER_S:
            return "linger"
        return self._by_the_clock(at, step, has_tracks=near is not None)

    def _by_the_clock(self, at: datetime, step: float, *, has_tracks: bool) -> Why:
        assert self._looked_at is not None  # the first frame is always looked at
        # One step on would be too late: a gap between looks is never longer than asked for,
        # unless frames come more seldom themselves.
        next_s = (at - self._looked_at).total_seconds() + step
        if has_tracks and next_s > _TRACKED_EVERY_S + _TOLERANCE_S:
            return "tracked"
        if self._is_second_due or next_s > self._policy.always_look_s + _TOLERANCE_S:
            return "interval"
        return "still"


_TOLERANCE_S: Final = 1e-3


def _what_moved(difference: Difference, near: Mask | None) -> Why | None:
    if difference.is_light:
        return "light"
    if np.count_nonzero(difference.moves) >= _LEAST_PIXELS:
        return "motion"
    if near is not None and np.count_nonzero(difference.may_move & near) >= _LEAST_NEAR:
        return "near_track"
    return None


def _neighbourhood(boxes: Boxes, full: tuple[int, ...], small: tuple[int, ...]) -> Mask:
    """Return where in the small picture (rows, columns) tracked things are, with some room."""
    shrink = np.array([small[1] / full[1], small[0] / full[0]] * 2, np.float64)
    scaled = boxes * shrink
    room = _NEARBY * (scaled[:, 2:] - scaled[:, :2]) + 2.0
    starts = np.floor(scaled[:, :2] - room).clip(min=0.0).astype(np.intp)
    ends = np.ceil(scaled[:, 2:] + room).clip(min=0.0).astype(np.intp)
    mask = np.zeros(small, np.bool_)
    for (left, top), (right, bottom) in zip(starts, ends, strict=True):
        mask[top:bottom, left:right] = True
    return mask
