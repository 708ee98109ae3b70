"""Made clips, held whole, and what a tracker made of them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.tracking_path.made_scenes import SCENES, Shot, make_clip
from processing.evaluation.tracking import Sighting, TrackingQuality, measure_tracking
from processing.tracking.bytetrack import Tracker
from processing.tracking.ids import track_ids

_BEGINS_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Every frame of one scene."""

    name: str
    fps: float
    shots: tuple[Shot, ...]

    @classmethod
    def of(cls, name: str, *, seed: int) -> "Clip":
        """Return the clip of a scene in `SCENES`."""
        scene = SCENES[name]
        return cls(name, scene.fps, tuple(make_clip(scene, seed=seed)))


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """What a tracker made of a clip."""

    found: Sequence[Sighting]
    """What has a track, frame by frame."""
    ms: NDArray[np.float64]
    """What each frame took."""

    def quality(self, clip: Clip) -> TrackingQuality:
        """Return how good that is."""
        pairs = zip(clip.shots, self.found, strict=True)
        return measure_tracking((shot.truth, found) for shot, found in pairs)


@dataclass(frozen=True, slots=True)
class Grade:
    """Means over clips."""

    mota: float
    idf1: float
    id_switches: float
    """In a clip."""


def follow(clip: Clip) -> Followed:
    """Return what our own tracker makes of a clip."""
    tracker = Tracker(track_ids(1))
    found, seconds = [], []
    for shot in clip.shots:
        at = _BEGINS_AT + timedelta(seconds=shot.seconds)
        begun = time.perf_counter()
        tracked = tracker.update(shot.found, at).detections
        seconds.append(time.perf_counter() - begun)
        tracks = tracked[tracked.tracks != 0]
        found.append(Sighting(tracks.xyxy, tracks.tracks))
    return Followed(found, 1000.0 * np.array(seconds))


def grade(clips: Sequence[Clip], followed: Sequence[Followed]) -> Grade:
    """Return the mean quality, every clip alike."""
    qualities = [each.quality(clip) for clip, each in zip(clips, followed, strict=True)]
    return Grade(
        mota=fmean(each.mota for each in qualities),
        idf1=fmean(each.idf1 for each in qualities),
        id_switches=fmean(each.n_switches for each in qualities),
    )
