"""What was right and wrong of predictions follows from the boxes; a labeler may say otherwise."""

import pytest

from webapp.review.boxes import BadBox, Box, PredictedBox
from webapp.review.findings import Findings, find

SEEN = [
    PredictedBox((0.1, 0.1, 0.3, 0.3), "car", 0.9),
    PredictedBox((0.5, 0.5, 0.6, 0.9), "person", 0.4),
]
CAR, PERSON = (Box(box.xyxy, box.label) for box in SEEN)


def test_all_right() -> None:
    assert find([PERSON, CAR], SEEN, {}) == Findings(("right", "right"), 0)


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([], Findings(("false", "false"), 0)),
        ([CAR], Findings(("right", "false"), 0)),
        ([CAR, Box(PERSON.xyxy, "car")], Findings(("right", "wrong_class"), 0)),
        ([CAR, Box((0.5, 0.5, 0.6, 0.72), "person")], Findings(("right", "wrong_box"), 0)),
        ([CAR, Box((0.5, 0.5, 0.6, 0.85), "person")], Findings(("right", "right"), 0)),
        ([CAR, PERSON, Box((0.7, 0.1, 0.8, 0.2), "car")], Findings(("right", "right"), 1)),
    ],
)
def test_it_follows_from_the_boxes(boxes: list[Box], expected: Findings) -> None:
    assert find(boxes, SEEN, {}) == expected


def test_a_box_may_say_which_prediction_it_stands_for() -> None:
    moved = Box((0.7, 0.1, 0.9, 0.3), "car", prediction=0)
    assert find([moved, PERSON], SEEN, {}) == Findings(("wrong_box", "right"), 0)


def test_what_a_labeler_says_goes_first() -> None:
    assert find([CAR, PERSON], SEEN, {1: "wrong_box"}) == Findings(("right", "wrong_box"), 0)


@pytest.mark.parametrize(
    ("boxes", "by_hand", "field"),
    [
        ([], {2: "false"}, "findings.2"),
        ([Box(CAR.xyxy, "car", prediction=2)], {}, "boxes.0.prediction"),
        (2 * [Box(CAR.xyxy, "car", prediction=0)], {}, "boxes.1.prediction"),
    ],
)
def test_predictions_that_are_not_there_are_refused(
    boxes: list[Box], by_hand: dict[int, str], field: str
) -> None:
    with pytest.raises(BadBox) as refusal:
        find(boxes, SEEN, by_hand)  # type: ignore[arg-type]  # as JSON has it
    assert refusal.value.field == field
