"""Joins detections over time, after ByteTrack (Zhang et al., ECCV 2022), one class at a time.

As there, doubtful detections do not begin a track but may go on with one: they are more likely the
same thing half hidden than something else. Where ByteTrack matches confident detections first and
doubtful ones with what is left, here one assignment weighs both, the doubtful less: that is half
the work, and in crowds it mistakes fewer. Only a second sight confirms a track and gives it a
number.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.tracking import motion
from processing.tracking.matching import Edges, Indices, match, overlaps
from processing.tracking.motion import AGE, EDGES, LABEL, NUMBER, PATIENCE, States
from processing.vision.detections import Detections

_WORTH: Final = np.array([0.0, 0.7, 1.0])
"""Of an overlap with a detection that is not even doubtful, that is doubtful, that is confident."""
_ASKED_AT_ONCE: Final = 0.3
_LEAST_ASKED: Final = 0.1
"""A thing is where its expected place overlaps by this much at the least: by the first less the
seconds since it was seen, for the longer ago that is, the less is known of its place."""
_APART: Final = 1e5
"""Pixels between the classes: moved so far from each other, they never overlap."""
_LONGEST_STEP_S: Final = 1.0
"""Of the time between two frames no more than this counts: nobody knows where things went in a
longer pause, and where no frame was looked at, nothing was missed."""
_PAUSE_S: Final = 30.0
"""What was there before a longer pause is forgotten."""
_SET_BACK_S: Final = 1.0
"""Clocks are put right by less; one that goes back further tells of another time."""


_NONE: Final = np.empty(0, np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Tracked:
    """A frame's detections, in the order given, each with its track (0: none yet)."""

    detections: Detections
    started: NDArray[np.int32]
    """The labels of the tracks that this frame confirmed, one each."""


class Tracker:
    """The tracks of one camera. Call `update` once a frame, in order of time."""

    def __init__(
        self,
        ids: Iterator[int],
        *,
        confident: float = 0.4,
        doubtful: float = 0.1,
        forget_after_s: float = 2.0,
    ) -> None:
        self._ids = ids
        self.confident = confident
        self._doubtful = doubtful
        self._forget_after_s = forget_after_s
        self._states = motion.nothing()
        self._has_new = False
        """The frame before began tracks: who is not confirmed now is forgotten."""
        self._now: float | None = None

    def update(self, detections: Detections, at: datetime) -> Tracked:
        """Return the detections of the frame taken at `at` with their tracks."""
        self._keep_time(at.timestamp())
        edges = np.add(detections.xyxy.T, detections.labels * _APART, order="C")
        mine, theirs = match(self._weights(edges, detections))
        seen = motion.correct(self._states, mine, edges.take(theirs, axis=1))
        started = self._confirm(seen, mine) if self._has_new else _NONE
        tracks = np.zeros(len(detections), np.int64)
        tracks[theirs] = seen[NUMBER]
        if len(mine) < self._states.shape[1]:
            self._forget()
        self._has_new = len(theirs) < len(detections) and self._begin(edges, detections, theirs)
        found = Detections(detections.xyxy, detections.scores, detections.labels, tracks)
        return Tracked(found, started)

    def _confirm(self, seen: States, which: Indices) -> NDArray[np.int32]:
        """Number what was seen for the second time, in `seen` too; return its labels."""
        is_second = seen[NUMBER] == 0.0
        if not is_second.any():
            return _NONE
        started: NDArray[np.int32] = seen[LABEL, is_second].astype(np.int32)
        seen[NUMBER, is_second] = [next(self._ids) for _ in started]
        seen[PATIENCE, is_second] = self._forget_after_s
        self._states[:, which] = seen
        return started

    def _keep_time(self, now: float) -> None:
        seconds = 0.0 if self._now is None else now - self._now
        if seconds > _PAUSE_S or seconds < -_SET_BACK_S:
            self._states = motion.nothing()
        elif seconds < 0.0:
            return  # the frame counts as taken with the one before
        self._now = now
        motion.advance(self._states, min(seconds, _LONGEST_STEP_S))

    def _weights(self, edges: Edges, detections: Detections) -> NDArray[np.float64]:
        """Return (n, m) how much speaks for each thing to be each detection; 0 if it cannot be."""
        states, scores = self._states, detections.scores
        shared = overlaps(states[EDGES], edges)
        bars = np.array((min(self._doubtful, self.confident), self.confident), np.float32)
        shared *= _WORTH.take(bars.searchsorted(scores, side="right"))
        asked = np.maximum(_ASKED_AT_ONCE - states[AGE], _LEAST_ASKED)
        return np.where(shared >= asked[:, None], shared, 0.0)

    def _forget(self) -> None:
        """Forget what was missed for long, and what was seen once only."""
        stays = self._states[AGE] <= self._states[PATIENCE]
        if not stays.all():
            self._states = self._states[:, stays]

    def _begin(self, edges: Edges, detections: Detections, taken: Indices) -> bool:
        """Begin tracks with what is confident and no track's; return whether there is any."""
        begins = detections.scores >= self.confident
        begins[taken] = False
        if not begins.any():
            return False
        born = motion.at_rest(edges[:, begins], detections.labels[begins])
        self._states = np.concatenate((self._states, born), axis=1)
        return True
