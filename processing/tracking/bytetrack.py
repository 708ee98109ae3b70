"""Joins detections over time, after ByteTrack (Zhang et al., ECCV 2022), one class at a time.

Confident detections are matched first; what is left of the tracks may then go on with doubtful
ones, which are more likely the same thing half hidden than something else. Only confident
detections begin a track, and only a second sight confirms it and gives it a number.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.tracking.matching import Indices, match, overlap
from processing.tracking.motion import Motion
from processing.vision.detections import Detections

_CONFIDENT_OVERLAP: Final = 0.2
"""Least overlap with a confident detection: at a few frames a second things move far."""
_DOUBTFUL_OVERLAP: Final = 0.5
"""A doubtful one must lie where the track was expected."""


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
        self._motion = Motion()
        self._labels = np.empty(0, np.int32)
        self._tracks = np.empty(0, np.int64)
        """0 while unconfirmed."""
        self._seen_at = np.empty(0, np.float64)
        self._was_seen = np.empty(0, np.bool_)
        """In the frame before this one."""
        self._is_fresh = np.empty(0, np.bool_)
        """Seen once only, so that its velocity is not known."""

    def update(self, detections: Detections, at: datetime) -> Tracked:
        """Return the detections of the frame taken at `at` with their tracks."""
        now = at.timestamp()
        self._forget(now)
        boxes = self._motion.predict(now - self._seen_at)
        scores = detections.scores
        confident = np.flatnonzero(scores >= self.confident)
        doubtful = np.flatnonzero((scores >= self._doubtful) & (scores < self.confident))
        confirmed = np.flatnonzero(self._tracks != 0)
        unconfirmed = np.flatnonzero(self._tracks == 0)

        round_ = _Round(detections, boxes, self._labels)
        confirmed, confident = round_.pair(confirmed, confident, at_least=_CONFIDENT_OVERLAP)
        recent = confirmed[self._was_seen[confirmed]]
        round_.pair(recent, doubtful, at_least=_DOUBTFUL_OVERLAP)
        unconfirmed, confident = round_.pair(unconfirmed, confident, at_least=_CONFIDENT_OVERLAP)
        tracked = self._settle(detections, round_, now)
        keep = np.ones(len(self._tracks), np.bool_)
        keep[unconfirmed] = False
        self._keep(keep)
        self._begin(detections[confident], now)
        return tracked

    def _settle(self, detections: Detections, round_: "_Round", now: float) -> Tracked:
        mine, theirs = round_.matched()
        self._motion.correct(
            mine,
            detections.xyxy[theirs],
            seconds=now - self._seen_at[mine],
            is_first=self._is_fresh[mine],
        )
        self._seen_at[mine] = now
        self._is_fresh[mine] = False
        self._was_seen[:] = False
        self._was_seen[mine] = True
        confirmed_now = mine[self._tracks[mine] == 0]
        self._tracks[confirmed_now] = [next(self._ids) for _ in confirmed_now]
        started = self._labels[confirmed_now]
        tracks = np.zeros(len(detections), np.int64)
        tracks[theirs] = self._tracks[mine]
        return Tracked(detections.with_tracks(tracks), started)

    def _begin(self, born: Detections, now: float) -> None:
        n = len(born)
        self._motion.add(born.xyxy)
        self._labels = np.append(self._labels, born.labels)
        self._tracks = np.append(self._tracks, np.zeros(n, np.int64))
        self._seen_at = np.append(self._seen_at, np.full(n, now))
        self._was_seen = np.append(self._was_seen, np.ones(n, np.bool_))
        self._is_fresh = np.append(self._is_fresh, np.ones(n, np.bool_))

    def _forget(self, now: float) -> None:
        age = now - self._seen_at
        # A clock that went back makes ages negative: those tracks belong to another time.
        self._keep((age <= self._forget_after_s) & (age >= 0.0))

    def _keep(self, mask: NDArray[np.bool_]) -> None:
        if mask.all():
            return
        self._motion.keep(mask)
        self._labels = self._labels[mask]
        self._tracks = self._tracks[mask]
        self._seen_at = self._seen_at[mask]
        self._was_seen = self._was_seen[mask]
        self._is_fresh = self._is_fresh[mask]


class _Round:
    """The matching of one frame, pass by pass."""

    def __init__(
        self, detections: Detections, boxes: NDArray[np.float32], labels: NDArray[np.int32]
    ) -> None:
        self._detections = detections
        self._boxes = boxes
        self._labels = labels
        self._mine: list[Indices] = []
        self._theirs: list[Indices] = []

    def pair(self, mine: Indices, theirs: Indices, *, at_least: float) -> tuple[Indices, Indices]:
        """Match tracks `mine` with detections `theirs` that overlap; return what is left of each.

        Of two detections that fit, the surer one counts for more.
        """
        if not len(mine) or not len(theirs):
            return mine, theirs
        shared = overlap(
            self._boxes[mine],
            self._labels[mine],
            self._detections.xyxy[theirs],
            self._detections.labels[theirs],
        )
        weights = shared * self._detections.scores[theirs]
        found = match(np.where(shared >= at_least, weights, np.float32(0.0)))
        self._mine.append(mine[found.first])
        self._theirs.append(theirs[found.second])
        return mine[found.lonely_first], theirs[found.lonely_second]

    def matched(self) -> tuple[Indices, Indices]:
        """Return all pairs so far: indices of tracks, and of detections."""
        none = np.empty(0, np.intp)
        return np.concatenate((none, *self._mine)), np.concatenate((none, *self._theirs))
