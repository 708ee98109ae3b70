"""Pieces cover what is looked at, and what is found in them is told once."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from processing.pipeline.tiling import Crop, crops, merge
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.vision.geometry import iou_matrix
from processing.wire.camera import Region, Tiling
from tests.processing.pipeline.made_scenes import START

WHOLE = Region()
TWO_BY_TWO = Tiling(columns=2, rows=2, overlap=0.2)

sizes = st.integers(1, 2000)
shares = st.floats(0.0, 1.0)
tilings = st.builds(
    Tiling, columns=st.integers(1, 4), rows=st.integers(1, 4), overlap=st.floats(0.0, 0.5)
)
regions = st.builds(Region, left=shares, top=shares, right=shares, bottom=shares)


def found(*rows: tuple[float, float, float, float, float, int]) -> Detections:
    """Return detections of (x0, y0, x1, y1, score, label)."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int32))


def as_seen_by(crop: Crop, things: Detections, *, least_seen: float = 0.05) -> Detections:
    """Return what a faultless network finds in a piece: of each thing what lies in it."""
    sides = np.array([crop.left, crop.top] * 2, np.float32)
    limits = np.array([crop.width, crop.height] * 2, np.float32)
    boxes = np.clip(things.xyxy - sides, 0, limits)
    kept = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=np.inf) >= 8
    full = np.prod(things.xyxy[:, 2:] - things.xyxy[:, :2], axis=1)
    kept &= np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) >= least_seen * full
    return Detections(boxes[kept], things.scores[kept], things.labels[kept])


def pieces_of(width: int, height: int, tiling: Tiling) -> tuple[Crop, ...]:
    """Return the pieces of the whole picture without the picture as a whole."""
    found = crops(width, height, WHOLE, tiling)
    return found if len(found) == 1 else found[:-1]


def seen_in_pieces(things: Detections, pieces: tuple[Crop, ...]) -> Detections:
    return merge([(crop, as_seen_by(crop, things)) for crop in pieces])


@given(width=sizes, height=sizes, region=regions, tiling=tilings)
@settings(deadline=None)
def test_every_pixel_of_the_region_is_in_a_piece(
    width: int, height: int, region: Region, tiling: Tiling
) -> None:
    pieces = crops(width, height, region, tiling)
    covered = np.zeros((height, width), np.bool_)
    *parts, whole = pieces
    for crop in parts:
        assert (whole.left, whole.top) <= (crop.left, crop.top)
        assert whole.right >= crop.right
        assert whole.bottom >= crop.bottom
    for crop in parts or pieces:
        assert crop.left % 2 == crop.top % 2 == 0
        assert crop.width > 0
        assert crop.height > 0
        assert crop.width % 2 == 0 or crop.right == width
        assert crop.height % 2 == 0 or crop.bottom == height
        covered[crop.top : crop.bottom, crop.left : crop.right] = True
    if region.left < region.right and region.top < region.bottom:
        left, right = int(region.left * width), int(np.ceil(region.right * width))
        top, bottom = int(region.top * height), int(np.ceil(region.bottom * height))
        assert covered[top:bottom, left:right].all()
    else:
        assert covered.any()


@given(tiling=tilings, size=st.integers(100, 2000), place=shares)
@settings(deadline=None)
def test_what_is_smaller_than_the_overlap_is_whole_in_some_piece(
    tiling: Tiling, size: int, place: float
) -> None:
    pieces = pieces_of(size, size, tiling)
    length = tiling.overlap * min(crop.width for crop in pieces) - 4
    assume(length > 0)
    start = place * (size - length)
    assert any(crop.left <= start and start + length <= crop.right for crop in pieces)


def test_one_piece_of_everything_is_the_frame_itself() -> None:
    grey = np.arange(7 * 9, dtype=np.uint8).reshape(7, 9)
    frame = Frame(y=grey, u=grey[:4, :5], v=grey[:4, :5], captured_at=START)
    [crop] = crops(9, 7, WHOLE, Tiling())
    piece = crop.cut(frame)
    assert (crop.left, crop.top, crop.width, crop.height) == (0, 0, 9, 7)
    for mine, theirs in ((piece.y, frame.y), (piece.u, frame.u), (piece.v, frame.v)):
        assert np.array_equal(mine, theirs)
        assert np.shares_memory(mine, theirs)


@given(width=sizes, height=sizes, region=regions, tiling=tilings)
@settings(max_examples=50, deadline=None)
def test_a_piece_is_a_view_of_the_right_pixels(
    width: int, height: int, region: Region, tiling: Tiling
) -> None:
    """Luma says the column, chroma half of it, so whatever is shifted shows."""
    columns = np.broadcast_to((np.arange(width) // 2 % 256).astype(np.uint8), (height, width))
    halves = np.broadcast_to(
        (np.arange((width + 1) // 2) % 256).astype(np.uint8), ((height + 1) // 2, (width + 1) // 2)
    )
    frame = Frame(y=columns, u=halves, v=halves, captured_at=START)
    for crop in crops(width, height, region, tiling):
        piece = crop.cut(frame)
        assert piece.captured_at == START
        assert (piece.width, piece.height) == (crop.width, crop.height)
        assert np.shares_memory(piece.y, columns)
        assert np.array_equal(piece.u[0], piece.y[0, ::2])
        assert np.array_equal(piece.v[0], piece.y[0, ::2])


def test_a_smaller_frame_than_expected_is_refused() -> None:
    grey = np.zeros((10, 10), np.uint8)
    frame = Frame(y=grey, u=grey[:5, :5], v=grey[:5, :5], captured_at=START)
    with pytest.raises(ValueError, match="10 x 10"):
        crops(20, 10, WHOLE, Tiling())[0].cut(frame)


def test_of_a_region_alone_everything_is_only_moved() -> None:
    [crop] = crops(1280, 720, Region(left=0.25, top=0.5), Tiling())
    inside = found((0, 0, 10, 10, 0.5, 1), (1, 1, 10, 10, 0.4, 1), (5, 5, 7, 7, 0.9, 0))
    merged = merge([(crop, inside.with_tracks(np.array([3, 0, 9])))])
    assert np.array_equal(merged.xyxy, inside.xyxy + np.array([320, 360, 320, 360], np.float32))
    assert merged.scores.tolist() == inside.scores.tolist()
    assert merged.tracks.tolist() == [3, 0, 9]


def test_nothing_in_any_piece_is_nothing() -> None:
    pieces = crops(640, 360, WHOLE, TWO_BY_TWO)
    assert len(merge([(crop, Detections.empty()) for crop in pieces])) == 0
    assert len(merge([])) == 0


boxes_apart = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 5), st.integers(24, 58), st.integers(24, 58)),
    unique_by=lambda box: box[:2],
    max_size=20,
)


@given(cells=boxes_apart, tiling=tilings)
@settings(deadline=None)
def test_every_thing_is_found_once_wherever_the_borders_are(
    cells: list[tuple[int, int, int, int]], tiling: Tiling
) -> None:
    """Things stand apart, each in a cell of 64 pixels, and no overlap is a mere sliver."""
    pieces = pieces_of(640, 384, tiling)
    assume(
        all(tiling.overlap * side >= 20 for crop in pieces for side in (crop.width, crop.height))
    )
    things = found(
        *((64 * x, 64 * y, 64 * x + w, 64 * y + h, 0.5 + 0.01 * x, x % 2) for x, y, w, h in cells)
    )
    merged = seen_in_pieces(things, pieces)
    assert len(merged) == len(things)
    if len(things):
        overlap = iou_matrix(things.xyxy, merged.xyxy)
        assert overlap.max(axis=1).min() > 0.9
        assert sorted(merged.labels) == sorted(things.labels)


def test_a_truck_over_all_four_pieces_is_one_truck() -> None:
    pieces = pieces_of(1280, 720, TWO_BY_TWO)
    merged = seen_in_pieces(found((100, 100, 1200, 650, 0.8, 7)), pieces)
    assert merged.xyxy.tolist() == [[100, 100, 1200, 650]]
    assert merged.labels.tolist() == [7]


def test_the_look_at_the_whole_gives_large_things_and_the_pieces_small_ones() -> None:
    *pieces, whole = crops(1280, 720, WHOLE, TWO_BY_TWO)
    truck = found((100, 100, 1200, 650, 0.8, 7))
    cabin, wheel = found((100, 100, 700, 410, 0.9, 7)), found((20, 30, 40, 50, 0.5, 3))
    assert (whole.width, whole.height) == (1280, 720)
    assert pieces[0].right < 720
    parts = [(crop, Detections.empty()) for crop in pieces[1:]]
    cabin = as_seen_by(pieces[0], cabin)
    both = Detections(
        np.concatenate([cabin.xyxy, wheel.xyxy]),
        np.concatenate([cabin.scores, wheel.scores]),
        np.concatenate([cabin.labels, wheel.labels]),
    )
    merged = merge([(pieces[0], both), *parts, (whole, truck)])
    assert merged.xyxy.tolist() == [[100, 100, 1200, 650], [20, 30, 40, 50]]
    assert merged.scores.tolist() == pytest.approx([0.9, 0.5])


def test_a_part_that_a_border_cut_off_gives_way_however_sure_the_network_is_of_it() -> None:
    left, right = pieces_of(1000, 400, Tiling(columns=2, rows=1, overlap=0.2))
    part = found((right.left - left.left + 10, 100, left.width, 200, 0.9, 0))
    full = found((10, 95, 200, 205, 0.4, 0))
    merged = merge([(left, part), (right, full)])
    assert merged.xyxy.tolist() == [[right.left + 10, 95, right.left + 200, 205]]
    assert merged.scores.tolist() == pytest.approx([0.9])


def test_what_one_piece_tells_apart_stays_apart() -> None:
    left, right = pieces_of(1000, 400, Tiling(columns=2, rows=1, overlap=0.2))
    pair = found((10, 100, 110, 200, 0.9, 0), (30, 100, 130, 200, 0.8, 0))
    assert len(merge([(left, pair), (right, Detections.empty())])) == 2


def test_a_rider_is_not_merged_with_the_bicycle() -> None:
    left, right = pieces_of(1000, 400, Tiling(columns=2, rows=1, overlap=0.2))
    rider = found((right.left + 5, 100, right.left + 80, 200, 0.9, 0))
    bicycle = found((5, 100, 80, 200, 0.8, 1))
    assert len(merge([(left, rider), (right, bicycle)])) == 2
