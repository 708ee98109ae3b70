"""How good tracks are: MOTA counts what is wrong frame by frame, IDF1 who is who over all.

MOTA: Bernardin & Stiefelhagen, Evaluating Multiple Object Tracking Performance: The CLEAR MOT
Metrics (2008). IDF1: Ristani et al., Performance Measures and a Data Set for Multi-Target,
Multi-Camera Tracking (2016). A box is found where IoU is at least 0.5, as both are commonly used.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from processing.vision.detections import Boxes
from processing.vision.geometry import iou_matrix

_SAME: Final = 0.5
_SURELY: Final = 1e3
"""More than any sum of overlaps: pairs that were one before stay one before others are made."""


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """n things in one frame, each with its number; no number is there twice."""

    xyxy: Boxes
    """(n, 4) pixels."""
    numbers: NDArray[np.int64]
    """(n,)."""


@dataclass(frozen=True, slots=True)
class TrackingQuality:
    """What a tracker did with a clip."""

    mota: float
    """1 is perfect; below 0 with more mistakes than things. nan where there is nothing to find."""
    idf1: float
    """0..1; the harmonic mean of how much of the truth, and of the tracks, has its right number.
    nan where there are neither."""
    n_switches: int
    """Times a thing goes on under another number."""
    n_missed: int
    n_false: int
    n_truth: int


@dataclass(slots=True)
class _Tally:
    n_truth: int = 0
    n_found: int = 0
    n_matched: int = 0
    n_switches: int = 0
    last: dict[int, int] = field(default_factory=dict)
    """Which track each thing was last."""
    together: Counter[tuple[int, int]] = field(default_factory=Counter)
    """In how many frames a thing and a track overlap enough, paired or not."""


def measure_tracking(frames: Iterable[tuple[Sighting, Sighting]]) -> TrackingQuality:
    """Return the quality of (truth, found) of every frame, in order of time."""
    tally = _Tally()
    for truth, found in frames:
        tally.n_truth += len(truth.numbers)
        tally.n_found += len(found.numbers)
        _take(tally, truth, found)
    n_missed = tally.n_truth - tally.n_matched
    n_false = tally.n_found - tally.n_matched
    wrong = n_missed + n_false + tally.n_switches
    n_both = tally.n_truth + tally.n_found
    return TrackingQuality(
        mota=1.0 - wrong / tally.n_truth if tally.n_truth else float("nan"),
        idf1=2.0 * _n_rightly_named(tally.together) / n_both if n_both else float("nan"),
        n_switches=tally.n_switches,
        n_missed=n_missed,
        n_false=n_false,
        n_truth=tally.n_truth,
    )


def _take(tally: _Tally, truth: Sighting, found: Sighting) -> None:
    shared = iou_matrix(truth.xyxy, found.xyxy).astype(np.float64)
    is_same = shared >= _SAME
    things, tracks = truth.numbers.tolist(), found.numbers.tolist()
    tally.together.update((things[i], tracks[j]) for i, j in np.argwhere(is_same).tolist())
    was = np.array([tally.last.get(thing, -1) for thing in things], np.int64)
    goes_on = is_same & (was[:, None] == found.numbers[None, :])
    weights = np.where(is_same, shared, 0.0) + _SURELY * goes_on
    for i, j in zip(*linear_sum_assignment(weights, maximize=True), strict=True):
        if not is_same[i, j]:
            continue
        thing, track = things[i], tracks[j]
        tally.n_matched += 1
        tally.n_switches += tally.last.get(thing, track) != track
        tally.last[thing] = track


def _n_rightly_named(together: Counter[tuple[int, int]]) -> int:
    """Return the most boxes that can be right if every thing is one track and no other is it."""
    things = {thing: row for row, thing in enumerate(sorted({pair[0] for pair in together}))}
    tracks = {track: column for column, track in enumerate(sorted({pair[1] for pair in together}))}
    counts = np.zeros((len(things), len(tracks)))
    for (thing, track), n in together.items():
        counts[things[thing], tracks[track]] = n
    return int(counts[linear_sum_assignment(counts, maximize=True)].sum())
