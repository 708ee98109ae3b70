"""What was right and wrong of a bundle's predictions, told by the boxes that a labeler left."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from webapp.review.boxes import BadBox, Box, PredictedBox
from webapp.review.matching import match_boxes, overlap

Finding = Literal["right", "wrong_class", "wrong_box", "false"]

SAME_THING_IOU: Final = 0.5
"""From here on a box stands for the prediction that it overlaps."""
RIGHT_BOX_IOU: Final = 0.75
"""From here on a prediction's box was right: COCO's strict threshold."""


class Findings(Struct, frozen=True):
    """One finding of each prediction, in their order, and how many things none was made of."""

    predictions: tuple[Finding, ...] = ()
    n_missed: int = 0


def find(
    boxes: Sequence[Box], predicted: Sequence[PredictedBox], by_hand: Mapping[int, Finding]
) -> Findings:
    """Compare what a labeler left with what was predicted; what they said `by_hand` goes first.

    Raise `BadBox` for a prediction that is not there, or that two boxes stand for.
    """
    for index in by_hand:
        if index >= len(predicted):
            raise BadBox(f"findings.{index}", "There is no such prediction.")
    box_of = _told(boxes, len(predicted))
    rest = [index for index, box in enumerate(boxes) if box.prediction is None]
    free = [index for index in range(len(predicted)) if index not in box_of]
    matches = match_boxes(
        [predicted[index] for index in free],
        [boxes[index] for index in rest],
        iou=SAME_THING_IOU,
        is_class_told=False,
    )
    box_of |= {free[match.ours]: boxes[rest[match.theirs]] for match in matches}
    return Findings(
        predictions=tuple(
            by_hand.get(index) or _finding(prediction, box_of.get(index))
            for index, prediction in enumerate(predicted)
        ),
        n_missed=len(boxes) - len(box_of),
    )


def _told(boxes: Sequence[Box], n_predicted: int) -> dict[int, Box]:
    box_of: dict[int, Box] = {}
    for index, box in enumerate(boxes):
        if box.prediction is None:
            continue
        if box.prediction >= n_predicted:
            raise BadBox(f"boxes.{index}.prediction", "There is no such prediction.")
        if box.prediction in box_of:
            raise BadBox(f"boxes.{index}.prediction", "Another box stands for this prediction.")
        box_of[box.prediction] = box
    return box_of


def _finding(prediction: PredictedBox, box: Box | None) -> Finding:
    if box is None:
        return "false"
    if box.label != prediction.label:
        return "wrong_class"
    return "right" if overlap(box.xyxy, prediction.xyxy) >= RIGHT_BOX_IOU else "wrong_box"
