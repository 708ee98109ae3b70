"""Boxes keep their places through saving, and impossible ones are refused by name."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from processing.wire.limits import MAX_DETECTIONS
from processing.wire.packed import PackedDetection, pack
from webapp.review.boxes import BadBox, Box, check_boxes, is_as_predicted, predicted_boxes

LABELS = ["person", "bicycle", "car"]
WIDTH, HEIGHT = 640, 272

unit = st.floats(0, 1)
sides = st.tuples(unit, unit).map(sorted)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    (x0, x1), (y0, y1) = draw(sides), draw(sides)
    assume((x1 - x0) * WIDTH >= 1 and (y1 - y0) * HEIGHT >= 1)
    return Box(xyxy=(x0, y0, x1, y1), label=draw(st.sampled_from(LABELS)))


def checked(*given_boxes: Box) -> list[Box]:
    return check_boxes(given_boxes, labels=LABELS, width=WIDTH, height=HEIGHT)


@given(st.lists(boxes(), max_size=8))
def test_what_is_drawn_is_what_is_kept(drawn: list[Box]) -> None:
    for before, after in zip(drawn, checked(*drawn), strict=True):
        assert after.label == before.label
        assert after.xyxy == pytest.approx(before.xyxy, abs=1e-6)


@given(st.lists(boxes(), max_size=8))
def test_keeping_twice_changes_nothing_more(drawn: list[Box]) -> None:
    once = checked(*drawn)
    assert checked(*once) == once


@given(st.lists(boxes(), max_size=8), st.randoms())
def test_predictions_sent_back_count_as_accepted(drawn: list[Box], random: st.DataObject) -> None:
    packed = pack(
        PackedDetection(*box.xyxy, 0.4, LABELS.index(box.label), track=0) for box in drawn
    )
    predicted = list(predicted_boxes(packed, labels=LABELS, width=WIDTH, height=HEIGHT))
    sent_back = [Box(xyxy=box.xyxy, label=box.label) for box in predicted]
    assert is_as_predicted(checked(*sent_back), predicted)


@given(boxes(), st.integers(0, 3), st.sampled_from([1 / WIDTH, -1 / WIDTH]))
def test_an_edge_moved_by_a_pixel_counts_as_corrected(box: Box, edge: int, step: float) -> None:
    packed = pack([PackedDetection(*box.xyxy, 0.4, LABELS.index(box.label), track=0)])
    predicted = list(predicted_boxes(packed, labels=LABELS, width=WIDTH, height=HEIGHT))
    assume(predicted)
    edges = list(predicted[0].xyxy)
    edges[edge] += step
    moved = Box(xyxy=(edges[0], edges[1], edges[2], edges[3]), label=box.label)
    assert not is_as_predicted([moved], predicted)


@pytest.mark.parametrize(
    ("box", "field", "words"),
    [
        (Box((0.2, 0.2, 0.4, 0.4), "ghost"), "boxes.0.label", "No class is called"),
        (Box((-0.1, 0.2, 0.4, 0.4), "car"), "boxes.0.xyxy", "beyond the picture"),
        (Box((0.2, 0.2, 0.4, 1.01), "car"), "boxes.0.xyxy", "beyond the picture"),
        (Box((float("nan"), 0.2, 0.4, 0.4), "car"), "boxes.0.xyxy", "beyond the picture"),
        (Box((0.4, 0.2, 0.2, 0.4), "car"), "boxes.0.xyxy", "left or top"),
        (Box((0.2, 0.4, 0.4, 0.2), "car"), "boxes.0.xyxy", "left or top"),
        (Box((0.2, 0.2, 0.2, 0.4), "car"), "boxes.0.xyxy", "thinner than 1 pixel"),
    ],
)
def test_an_impossible_box_is_refused_by_name(box: Box, field: str, words: str) -> None:
    with pytest.raises(BadBox, match=words) as refusal:
        checked(box)
    assert refusal.value.field == field


def test_too_many_boxes_are_refused() -> None:
    with pytest.raises(BadBox, match=f"at most {MAX_DETECTIONS}"):
        checked(*[Box((0.2, 0.2, 0.4, 0.4), "car")] * (MAX_DETECTIONS + 1))
