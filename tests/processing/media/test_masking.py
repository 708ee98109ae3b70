"""What is masked cannot be seen any more; what is not is not touched."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from processing.media.masking import LEAST_BLOCK, heads, hide_all, mask, widened
from processing.vision.detections import Boxes
from processing.vision.frame import Frame, Plane
from processing.wire.fields import Polygon
from tests.processing.media.numbered import NOON

NO_BOXES: Boxes = np.empty((0, 4), np.float32)


def noise(width: int, height: int) -> Frame:
    """Return a frame with detail in every pixel; every plane read-only, as a decoder's are."""
    dice = np.random.default_rng(7)
    chroma = ((height + 1) // 2, (width + 1) // 2)
    shapes = ((height, width), chroma, chroma)
    y, u, v = (dice.integers(16, 236, shape, np.uint8) for shape in shapes)
    for plane in (y, u, v):
        plane.flags.writeable = False
    return Frame(y, u, v, captured_at=NOON)


def planes(frame: Frame) -> tuple[Plane, Plane, Plane]:
    return frame.y, frame.u, frame.v


def in_polygon(polygon: Polygon, width: int, height: int) -> NDArray[np.bool_]:
    """Return which pixels' centres the polygon encloses: an oracle without cv2's fill."""
    ys, xs = np.mgrid[0:height, 0:width] + 0.5
    inside = np.zeros((height, width), bool)
    corners = [(x * width, y * height) for x, y in polygon]
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        if y0 == y1:
            continue
        is_between = (ys >= min(y0, y1)) & (ys < max(y0, y1))
        inside ^= is_between & (xs < x0 + (ys - y0) * (x1 - x0) / (y1 - y0))
    return inside


corner = st.tuples(*[st.integers(0, 1000).map(lambda thousandths: thousandths / 1000)] * 2)


@given(
    polygon=st.lists(corner, min_size=3, max_size=8).map(tuple),
    width=st.integers(31, 90),
    height=st.integers(31, 90),
)
def test_inside_a_zone_all_is_one_grey_and_outside_nothing_changes(
    polygon: Polygon, width: int, height: int
) -> None:
    frame = noise(width, height)
    masked = mask(frame, (polygon,), NO_BOXES)
    inside = in_polygon(polygon, width, height)
    assert (masked.y[inside] == 126).all()
    is_hidden = masked.y != frame.y
    # Of the colours, too, wherever a pixel of the zone has a part in them.
    touched = inside.nonzero()[0] // 2, inside.nonzero()[1] // 2
    assert (masked.u[touched] == 128).all()
    assert (masked.v[touched] == 128).all()
    # Outside by more than the width of an edge, and not enclosed: as it was.
    corners = np.array(polygon) * (width, height)
    hull = cv2.convexHull(corners.astype(np.float32))
    far = np.zeros_like(inside)
    for row in range(0, height, 3):
        for column in range(0, width, 3):
            at = (column + 0.5, row + 0.5)
            far[row, column] = cv2.pointPolygonTest(hull, at, measureDist=True) < -6
    assert not is_hidden[far].any()


def test_what_crossing_lines_enclose_is_hidden_too() -> None:
    star = tuple(
        (0.5 + 0.45 * float(np.sin(turn)), 0.5 - 0.45 * float(np.cos(turn)))
        for turn in (0, 4 * np.pi / 5, 8 * np.pi / 5, 2 * np.pi / 5, 6 * np.pi / 5)
    )
    masked = mask(noise(200, 200), (star,), NO_BOXES)
    assert masked.y[100, 100] == 126


def test_the_whole_picture_can_be_a_zone() -> None:
    masked = mask(noise(63, 47), (((0, 0), (1, 0), (1, 1), (0, 1)),), NO_BOXES)
    assert (masked.y == 126).all()
    assert (masked.u == 128).all()
    assert (masked.v == 128).all()


@given(
    x=st.floats(-20, 150), y=st.floats(-20, 110),
    width=st.floats(1, 170), height=st.floats(1, 130),
)  # fmt: skip
def test_in_a_box_only_large_blocks_are_left_and_outside_nothing_changes(
    x: float, y: float, width: float, height: float
) -> None:
    frame = noise(160, 120)
    box = np.array([[x, y, x + width, y + height]], np.float32)
    masked = mask(frame, (), box)
    x0, y0 = (max(0.0, float(edge)) for edge in box[0, :2])
    x1, y1 = (float(edge) for edge in np.minimum(box[0, 2:], (160, 120)))
    inside = masked.y[int(y0) : max(0, int(np.ceil(y1))), int(x0) : max(0, int(np.ceil(x1)))]
    # At most four blocks across and down, one more where the box is not a square's multiple.
    for part in (inside, inside.T):
        changes = (np.diff(part.astype(int), axis=1) != 0).any(axis=0).sum() if part.size else 0
        assert changes <= 4
    kept = np.ones((120, 160), bool)
    kept[max(0, int(y0) - 2) : int(y1) + 3, max(0, int(x0) - 2) : int(x1) + 3] = False
    np.testing.assert_array_equal(masked.y[kept], frame.y[kept])


def test_blocks_are_never_small() -> None:
    frame = noise(320, 240)
    masked = mask(frame, (), np.array([[100, 100, 140, 140]], np.float32))
    blocks = masked.y[100:140, 100:140]
    assert LEAST_BLOCK == 16
    for top in range(0, 40, 16):
        for left in range(0, 40, 16):
            assert len(np.unique(blocks[top : top + 16, left : left + 16])) == 1
    assert abs(float(blocks.mean()) - float(frame.y[100:140, 100:140].mean())) < 2


def test_the_frame_itself_is_not_written_to() -> None:
    frame = noise(64, 48)
    before = [plane.copy() for plane in planes(frame)]
    masked = mask(frame, (((0, 0), (1, 0), (0, 1)),), np.array([[5, 5, 40, 40]], np.float32))
    for plane, copy, ours in zip(planes(frame), before, planes(masked), strict=True):
        np.testing.assert_array_equal(plane, copy)
        assert not np.shares_memory(plane, ours)
    assert masked.captured_at == frame.captured_at


def test_nothing_to_hide_changes_nothing() -> None:
    frame = noise(63, 47)
    masked = mask(frame, (), np.array([[-50, -50, -10, -10], [70, 5, 90, 9]], np.float32))
    for ours, theirs in zip(planes(masked), planes(frame), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_hidden_altogether_there_is_nothing_but_the_size() -> None:
    hidden = hide_all(noise(63, 47))
    assert (hidden.width, hidden.height) == (63, 47)
    assert {len(np.unique(plane)) for plane in planes(hidden)} == {1}


@pytest.mark.parametrize(
    ("person", "head"),
    [
        ((100, 50, 160, 230), (118, 52, 142, 80)),  # standing
        ((100, 50, 160, 230), (100, 55, 122, 85)),  # standing, leaning to the left
        ((100, 50, 200, 210), (140, 50, 180, 100)),  # sitting
        ((100, 50, 260, 210), (110, 60, 170, 140)),  # bent over a table
        ((100, 50, 300, 250), (150, 55, 250, 190)),  # close by, shoulders and head only
        ((100, 150, 320, 220), (280, 160, 318, 210)),  # lying, head to the right
        ((100, 150, 320, 220), (102, 160, 140, 218)),  # lying, head to the left
    ],
)
def test_heads_are_covered_in_every_posture(person: tuple[int, ...], head: tuple[int, ...]) -> None:
    (covered,) = heads(np.array([person], np.float32))
    assert (covered[:2] <= head[:2]).all()
    assert (covered[2:] >= head[2:]).all()


def test_of_a_standing_person_most_stays_visible() -> None:
    (covered,) = heads(np.array([[100, 0, 160, 180]], np.float32))
    assert covered[3] < 0.35 * 180


def test_no_people_no_heads() -> None:
    assert heads(NO_BOXES).shape == (0, 4)
    assert widened(NO_BOXES, share=0.5).shape == (0, 4)
