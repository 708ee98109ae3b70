"""What two saw in one frame: the same, or how many things one of them alone."""

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from processing.pipeline.dissent import comparable, dissent
from processing.vision.detections import Detections
from processing.wire.camera import DesiredCamera, Privacy
from processing.wire.messages import Disagreement
from tests.processing.pipeline.made_scenes import frame_of

LABELS = ("person", "car")
CAMERA = DesiredCamera(camera_id=UUID(int=1), name="Gate", source="played:")
FRAME = frame_of(np.zeros((100, 200), np.uint8))
BOXES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 1)), max_size=6)


def things(*found: tuple[float, float, int], score: float = 0.9) -> Detections:
    """Return squares of 10 pixels, each at (x, y) and with its label."""
    return Detections(
        np.array([(x, y, x + 10, y + 10) for x, y, _ in found], np.float32).reshape(-1, 4),
        np.full(len(found), score, np.float32),
        np.array([label for *_, label in found], np.int32),
    )


@pytest.mark.parametrize(
    ("own", "other", "n_things", "n_alone"),
    [
        ([(0, 0, 0)], [], 1, 1),
        ([(0, 0, 0)], [(0, 0, 1)], 2, 2),
        ([(0, 0, 0)], [(0, 8, 0)], 2, 2),
        ([(0, 0, 0), (50, 0, 1), (80, 0, 0)], [(1, 0, 0), (50, 1, 1), (0, 50, 1)], 4, 2),
        ([(0, 0, 0)], [(0, 0, 0), (1, 0, 0)], 2, 1),
    ],
)
def test_what_one_alone_saw_is_counted(
    own: list[tuple[float, float, int]],
    other: list[tuple[float, float, int]],
    n_things: int,
    n_alone: int,
) -> None:
    expected = Disagreement(n_things=n_things, n_alone=n_alone)
    assert dissent(things(*own), things(*other)) == expected
    assert dissent(things(*other), things(*own)) == expected


@given(BOXES, BOXES)
def test_nobody_disagrees_with_oneself_and_no_more_than_all_is_disputed(
    own: list[tuple[int, int, int]], other: list[tuple[int, int, int]]
) -> None:
    assert dissent(things(*own), things(*own)) is None
    differs = dissent(things(*own), things(*other))
    if differs is not None:
        assert 1 <= differs.n_alone <= differs.n_things <= len(own) + len(other)


def n_left(found: Detections, camera: DesiredCamera, known: frozenset[int] | None = None) -> int:
    return len(comparable(found, FRAME, camera, labels=LABELS, known=known))


def test_only_what_both_could_say_counts() -> None:
    found = things((0, 0, 0), (50, 0, 1))
    assert n_left(found, CAMERA) == 2
    assert n_left(things((0, 0, 0), score=0.39), CAMERA) == 0, "below the threshold of 0.4"
    assert n_left(found, replace(CAMERA, labels=("car",))) == 1
    assert n_left(found, CAMERA, frozenset({0})) == 1, "the other has no word for a car"
    left = ((0.0, 0.0), (0.1, 0.0), (0.1, 0.5))
    assert n_left(found, replace(CAMERA, privacy=Privacy(zones=(left,)))) == 1
