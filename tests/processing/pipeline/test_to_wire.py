"""Arrays become the same bytes that the wire's own packing makes."""

from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.pipeline.to_wire import (
    RECORD,
    count_entered,
    count_started,
    pack_detections,
    unpack_detections,
)
from processing.vision.detections import Detections
from processing.wire import packed
from processing.wire.limits import MAX_DETECTIONS
from processing.wire.messages import Entered
from processing.wire.packed import PackedDetection, check, pack, unpack

any_float = st.floats(width=32, allow_nan=True, allow_infinity=True)
shares = st.floats(0, 1, width=32)


def detections(rows: list[tuple[float, ...]]) -> Detections:
    """Return detections of rows x0, y0, x1, y1, score, label, track."""
    array = np.array(rows, np.float64).reshape(-1, 7)
    return Detections(
        array[:, :4].astype(np.float32),
        array[:, 4].astype(np.float32),
        array[:, 5].astype(np.int32),
        array[:, 6].astype(np.int64),
    )


def test_it_works() -> None:
    found = detections([(64, 0, 320, 240, 0.5, 7, 4_294_967_295)])
    [record] = unpack(pack_detections(found, width=640, height=480))
    assert record == pytest.approx((0.1, 0.0, 0.5, 0.5, 0.5, 7, 4_294_967_295), abs=1e-4)


def test_bytes_become_the_same_arrays_again() -> None:
    found = detections([(64, 0, 320, 240, 0.5, 7, 4_294_967_295), (0, 10, 20, 30, 1.0, 0, 0)])
    again = unpack_detections(pack_detections(found, width=640, height=480), width=640, height=480)
    np.testing.assert_allclose(again.xyxy, found.xyxy, atol=0.01)
    np.testing.assert_allclose(again.scores, found.scores, atol=1e-4)
    assert again.labels.tolist() == [7, 0]
    assert again.tracks.tolist() == [4_294_967_295, 0]
    assert not len(unpack_detections(b"", width=640, height=480))


def test_a_record_is_the_wire_s_record() -> None:
    assert RECORD.itemsize == packed.RECORD.size
    assert not pack_detections(Detections.empty(), width=640, height=480)


@given(st.lists(st.tuples(shares, shares, shares, shares, shares), max_size=20))
def test_both_ways_of_packing_agree(rows: list[tuple[float, ...]]) -> None:
    boxes = [(*np.sort(row[:2]), *np.sort(row[2:4]), row[4]) for row in rows]
    rows = [(x0, y0, x1, y1, score, 3, 9) for x0, x1, y0, y1, score in boxes]
    ours = pack_detections(detections(rows), width=1, height=1)
    theirs = pack(
        PackedDetection(x0, y0, x1, y1, score, 3, 9) for x0, y0, x1, y1, score, _, _ in rows
    )
    for mine, other in zip(unpack(ours), unpack(theirs), strict=True):
        assert mine == pytest.approx(other, abs=2e-5)


@given(st.lists(st.tuples(any_float, any_float, any_float, any_float, any_float), max_size=10))
def test_whatever_a_network_says_the_hub_accepts(rows: list[tuple[float, ...]]) -> None:
    found = detections([(*row, 5, 1) for row in rows])
    check(pack_detections(found, width=640, height=480), n_labels=80)


def test_of_too_many_the_best_are_sent() -> None:
    n = MAX_DETECTIONS + 50
    found = detections([(0, 0, 1, 1, row / n, 0, row) for row in range(n)])
    sent = list(unpack(pack_detections(found, width=1, height=1)))
    assert [record.track for record in sent] == list(range(50, n))


def test_started_tracks_are_counted_by_label() -> None:
    assert count_started(np.array([7, 2, 7], np.int32)) == ((2, 1), (7, 2))
    assert count_started(np.empty(0, np.int32)) == ()


def test_what_came_into_zones_is_counted_by_zone_and_label() -> None:
    gate, yard = UUID(int=1), UUID(int=2)
    entered = {gate: np.array([7, 2, 7], np.int32), yard: np.array([2], np.int32)}
    assert count_entered(entered) == (Entered(gate, 7, 2), Entered(gate, 2, 1), Entered(yard, 2, 1))


def test_of_too_many_classes_in_zones_the_commonest_are_told() -> None:
    labels = np.arange(MAX_DETECTIONS + 5, dtype=np.int32)
    told = count_entered({UUID(int=1): np.append(labels, labels[-1])})
    assert len(told) == MAX_DETECTIONS
    assert told[0] == Entered(UUID(int=1), MAX_DETECTIONS + 4, 2)
