"""Detections in 16 bytes each: what is packed is unpacked, and strangers' bytes are checked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.wire.limits import MAX_DETECTIONS
from processing.wire.packed import (
    RECORD,
    UNIT,
    BadDetections,
    PackedDetection,
    check,
    count_labels,
    pack,
    unpack,
)

shares = st.floats(0.0, 1.0)


@st.composite
def detections(draw: st.DrawFn) -> PackedDetection:
    x0, x1 = sorted((draw(shares), draw(shares)))
    y0, y1 = sorted((draw(shares), draw(shares)))
    return PackedDetection(
        x0, y0, x1, y1, draw(shares), draw(st.integers(0, 65535)), draw(st.integers(0, 2**32 - 1))
    )


def test_it_works() -> None:
    found = PackedDetection(0.25, 0.5, 0.75, 1.0, 0.9, 7, 4_000_000_000)
    packed = pack([found])
    assert len(packed) == RECORD.size == 16
    check(packed, n_labels=80)
    assert next(iter(unpack(packed))) == pytest.approx(found, abs=1 / UNIT)


@given(st.lists(detections(), max_size=50))
def test_what_is_packed_is_unpacked(found: list[PackedDetection]) -> None:
    packed = pack(found)
    check(packed)
    for before, after in zip(found, unpack(packed), strict=True):
        assert after[:5] == pytest.approx(before[:5], abs=0.5 / UNIT + 1e-9)
        assert after[5:] == before[5:]
    assert pack(unpack(packed)) == packed


@given(st.floats(allow_nan=False))
def test_values_outside_the_picture_are_clipped(value: float) -> None:
    [found] = unpack(pack([PackedDetection(value, value, value, value, value, 0, 0)]))
    assert 0.0 <= found.x0 <= 1.0
    assert 0.0 <= found.score <= 1.0


@given(st.binary(max_size=16 * (MAX_DETECTIONS + 2)))
def test_any_bytes_are_detections_or_bad(data: bytes) -> None:
    try:
        check(data, n_labels=80)
    except BadDetections:
        return
    for found in unpack(data):
        assert found.x0 <= found.x1
        assert found.y0 <= found.y1
        assert found.label < 80
    assert sum(count_labels(data).values()) == len(data) // 16


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (bytes(15), "multiple"),
        (bytes(16 * (MAX_DETECTIONS + 1)), "more than"),
        (RECORD.pack(2, 0, 1, 0, 0, 0, 0), "beyond"),
        (RECORD.pack(0, 2, 0, 1, 0, 0, 0), "beyond"),
        (RECORD.pack(0, 0, 1, 1, 0, 80, 0), "label"),
    ],
)
def test_bad_bytes_are_refused_in_words(data: bytes, reason: str) -> None:
    with pytest.raises(BadDetections, match=reason):
        check(data, n_labels=80)
