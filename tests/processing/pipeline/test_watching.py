"""What a camera shows: only wanted classes, only from its threshold up, with tracks."""

from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import msgspec
import numpy as np

from processing.pipeline.watching import Seen, Watching
from processing.tracking.ids import track_ids
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.wire.camera import DesiredCamera
from processing.wire.scene import InZone, Rule, Scene, Zone

LABELS = ("person", "car", "dog")
EVERYWHERE = Zone(
    zone_id=UUID(int=2), name="Yard", polygon=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
)
SCENE = Scene(
    zones=(EVERYWHERE,),
    rules=(
        Rule(
            rule_id=UUID(int=3),
            name="A dog in the yard",
            condition=InZone(zone_id=EVERYWHERE.zone_id),
            labels=("dog",),
        ),
    ),
)


def frame(n: int) -> Frame:
    at = datetime(2026, 11, 22, 12, tzinfo=UTC) + timedelta(milliseconds=100 * n)
    grey = np.full((48, 64), 128, np.uint8)
    return Frame(y=grey, u=grey[:24, :32], v=grey[:24, :32], captured_at=at)


def settings(*, labels: tuple[str, ...] = (), score_threshold: float = 0.4) -> DesiredCamera:
    return DesiredCamera(
        camera_id=UUID(int=1),
        name="Gate",
        source="usb:0",
        labels=labels,
        score_threshold=score_threshold,
        scene=SCENE,
    )


def a_watching(*, labels: tuple[str, ...] = ()) -> Watching:
    numbers = count(1)
    return Watching(
        settings(labels=labels),
        bundle_labels=LABELS,
        ids=track_ids(1),
        new_id=lambda: UUID(int=next(numbers)),
    )


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
    watching = a_watching()
    seen = look(watching, found((0.9, 0), (0.5, 1)), found((0.9, 0), (0.5, 1)))
    assert seen[0].shown.tracks.tolist() == [0, 0]
    assert seen[1].shown.tracks.tolist() == [1, 2]
    assert seen[1].started.tolist() == [0, 1]


def test_what_is_below_the_threshold_is_tracked_but_not_shown() -> None:
    watching = a_watching()
    seen = look(watching, found((0.9, 0)), found((0.9, 0)), found((0.3, 0)))
    assert len(seen[2].shown) == 0
    assert seen[2].tracked.tracks.tolist() == [1]


def test_only_wanted_classes_are_looked_at() -> None:
    watching = a_watching(labels=("car", "unheard of"))
    [seen] = look(watching, found((0.9, 0), (0.9, 1), (0.9, 2)))
    assert seen.tracked.labels.tolist() == [1]


def test_a_label_that_the_bundle_does_not_have_is_left_out() -> None:
    watching = a_watching()
    [seen] = look(watching, found((0.9, 3), (0.9, -1), (0.9, 2)))
    assert seen.shown.labels.tolist() == [2]


def test_new_settings_keep_the_tracks() -> None:
    watching = a_watching()
    look(watching, found((0.7, 0), (0.9, 1)), found((0.7, 0), (0.9, 1)))
    watching.tune(settings(labels=("car",), score_threshold=0.8))
    seen = watching.look(found((0.7, 0), (0.9, 1)), frame(2))
    assert seen.shown.labels.tolist() == [1]
    assert seen.shown.tracks.tolist() == [2]


def test_rules_tell_of_what_is_tracked_until_the_camera_is_left() -> None:
    watching = a_watching()
    seen = look(watching, found((0.9, 2)), found((0.9, 2)), found((0.9, 2)))
    said = [happening for each in seen for happening in each.happenings]
    assert [happening.phase for happening in said] == ["start"]
    assert said[0].labels == ("dog",)
    assert [happening.phase for happening in watching.end(frame(3).captured_at)] == ["end"]


def test_an_event_ends_with_its_rule() -> None:
    watching = a_watching()
    look(watching, found((0.9, 2)), found((0.9, 2)))
    without = msgspec.structs.replace(settings(), scene=Scene())
    assert [happening.phase for happening in watching.tune(without)] == ["end"]
