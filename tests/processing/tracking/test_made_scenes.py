"""On clips whose truth is known, tracks are as good as they were measured to be."""

import pytest

from benchmarks.tracking_path.clips import Clip, follow
from benchmarks.tracking_path.made_scenes import SCENES

LEAST = {
    "crossing": (0.89, 0.86),
    "behind_a_pillar": (0.88, 0.91),
    "coming_and_going": (0.88, 0.89),
    "crowd_of_20": (0.89, 0.88),
    "crowd_of_100": (0.90, 0.85),
    "poor_light": (0.72, 0.73),
    "5_fps": (0.85, 0.83),
    "traffic_5_fps": (0.88, 0.91),
}
"""MOTA and IDF1; a little less than any of ten seeds gave."""


@pytest.mark.parametrize("name", SCENES)
def test_tracks_are_as_good_as_ever(name: str) -> None:
    clip = Clip.of(name, seed=7)
    quality = follow(clip).quality(clip)
    least_mota, least_idf1 = LEAST[name]
    assert quality.mota >= least_mota
    assert quality.idf1 >= least_idf1


def test_a_clip_is_the_same_every_time() -> None:
    first, again = (Clip.of("crossing", seed=3) for _ in range(2))
    assert [shot.found.xyxy.tobytes() for shot in first.shots] == [
        shot.found.xyxy.tobytes() for shot in again.shots
    ]


def test_clips_hide_things_and_mistake_them() -> None:
    """A detector that is always right would make every tracker look good."""
    for name in SCENES:
        clip = Clip.of(name, seed=3)
        scores = [score for shot in clip.shots for score in shot.found.scores.tolist()]
        n_things = sum(len(shot.truth.numbers) for shot in clip.shots)
        assert n_things > len(clip.shots)
        assert 0.01 < sum(score < 0.4 for score in scores) / len(scores) < 0.5
        assert 0.8 < len(scores) / n_things < 1.3
