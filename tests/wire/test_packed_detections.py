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
    all_sound,
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


@st.composite
def nearly_right(draw: st.DrawFn) -> list[bytes]:
    """Results with a few hundred boxes, of which one has edges and a label that may be wrong."""
    edges = st.sampled_from([0, 1, 2, 0x7FFF, 0x8000, UNIT - 1, UNIT])
    labels = st.sampled_from([0, 78, 79, 80, 255, 256, UNIT])
    wide = RECORD.pack(0, 0, UNIT, UNIT, UNIT, 79, 2**32 - 1)
    high = RECORD.pack(UNIT, UNIT, UNIT, UNIT, 0, 0, 0)
    results = [
        [draw(st.sampled_from([wide, high]))] * n
        for n in draw(st.lists(st.integers(0, MAX_DETECTIONS), min_size=1, max_size=3))
    ]
    odd = RECORD.pack(*(draw(edges) for _ in range(5)), draw(labels), 0)
    result = draw(st.sampled_from(results))
    result.insert(draw(st.integers(0, len(result))), odd)
    return [b"".join(each) + draw(st.sampled_from([b"", b"", b"", b"\0"])) for each in results]


@given(nearly_right(), st.sampled_from([1, 79, 80, 81, 2**15]))
def test_results_are_all_sound_if_nothing_is_wrong_with_any(
    results: list[bytes], n_labels: int
) -> None:
    def is_right(packed: bytes) -> bool:
        try:
            check(packed, n_labels=n_labels)
        except BadDetections:
            return False
        return True

    assert all_sound(results, n_labels=n_labels) == all(map(is_right, results))


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
