"""What a camera shows: only wanted classes, only from its threshold up, with tracks."""

from datetime import UTC, datetime, timedelta

import numpy as np

from processing.pipeline.watching import Seen, Watching
from processing.tracking.ids import track_ids
from processing.vision.detections import Detections
from processing.vision.frame import Frame

LABELS = ("person", "car", "dog")


def frame(n: int) -> Frame:
    at = datetime(2026, 11, 22, 12, tzinfo=UTC) + timedelta(milliseconds=100 * n)
    grey = np.full((48, 64), 128, np.uint8)
    return Frame(y=grey, u=grey[:24, :32], v=grey[:24, :32], captured_at=at)


def found(*rows: tuple[float, int]) -> Detections:
    """Return one 10 x 10 box for each score and label, side by side."""
    boxes = [(20 * n, 0, 20 * n + 10, 10) for n in range(len(rows))]
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array([score for score, _ in rows], np.float32),
        np.array([label for _, label in rows], np.int32),
    )


def look(watching: Watching, *frames: Detections) -> list[Seen]:
    return [watching.look(detections, frame(n)) for n, detections in enumerate(frames)]


def test_it_works() -> None:
    watching = Watching(track_ids(1), bundle_labels=LABELS, score_threshold=0.4)
    seen = look(watching, found((0.9, 0), (0.5, 1)), found((0.9, 0), (0.5, 1)))
    assert seen[0].shown.tracks.tolist() == [0, 0]
    assert seen[1].shown.tracks.tolist() == [1, 2]
    assert seen[1].started.tolist() == [0, 1]


def test_what_is_below_the_threshold_is_tracked_but_not_shown() -> None:
    watching = Watching(track_ids(1), bundle_labels=LABELS, score_threshold=0.4)
    seen = look(watching, found((0.9, 0)), found((0.9, 0)), found((0.3, 0)))
    assert len(seen[2].shown) == 0
    assert seen[2].tracked.tracks.tolist() == [1]


def test_only_wanted_classes_are_looked_at() -> None:
    watching = Watching(
        track_ids(1), bundle_labels=LABELS, wanted=("car", "unheard of"), score_threshold=0.4
    )
    [seen] = look(watching, found((0.9, 0), (0.9, 1), (0.9, 2)))
    assert seen.tracked.labels.tolist() == [1]


def test_a_label_that_the_bundle_does_not_have_is_left_out() -> None:
    watching = Watching(track_ids(1), bundle_labels=LABELS, score_threshold=0.4)
    [seen] = look(watching, found((0.9, 3), (0.9, -1), (0.9, 2)))
    assert seen.shown.labels.tolist() == [2]


def test_new_settings_keep_the_tracks() -> None:
    watching = Watching(track_ids(1), bundle_labels=LABELS, score_threshold=0.4)
    look(watching, found((0.7, 0), (0.9, 1)), found((0.7, 0), (0.9, 1)))
    watching.tune(wanted=("car",), score_threshold=0.8)
    seen = watching.look(found((0.7, 0), (0.9, 1)), frame(2))
    assert seen.shown.labels.tolist() == [1]
    assert seen.shown.tracks.tolist() == [2]
