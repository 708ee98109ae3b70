"""Pictures as single questions: each box that a model claims, and each region it calls empty."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processing.vision.detections import Detections
from processing.vision.geometry import iou_matrix
from processing.vision.truth import Truth
from webapp.review.boxes import PredictedBox

THRESHOLD: Final = 0.4
"""What a camera calls seen, unless somebody says otherwise."""
REGIONS: Final = 2
"""A picture has so many regions a side. Finer ones favour the policy: more of them are dull."""
SAME: Final = 0.5
"""IoU of a box with what it is a box of."""


class Item(NamedTuple):
    """One question."""

    predicted: tuple[PredictedBox, ...]
    """The claimed box; of a region, what is in it that the model is not sure enough of."""
    is_error: bool
    """Nothing of that class is in the box, or something that was missed is in the region."""


def items_of(
    found: Detections, truth: Truth, *, labels: tuple[str, ...], width: int, height: int
) -> Iterator[Item]:
    """Yield every question about one picture."""
    order = np.argsort(-found.scores, kind="stable")
    found = found[order]
    claimed = found.scores >= THRESHOLD
    matched, seen = _match(found[claimed], truth)
    boxes = [
        PredictedBox((x0 / width, y0 / height, x1 / width, y1 / height), labels[label], score)
        for (x0, y0, x1, y1), label, score in zip(
            found.xyxy.tolist(), found.labels.tolist(), found.scores.tolist(), strict=True
        )
    ]
    n_claimed = int(claimed.sum())
    for box, is_right in zip(boxes[:n_claimed], matched, strict=True):
        yield Item((box,), is_error=not is_right)
    places = _regions(found.xyxy, width, height)
    missed = set(_regions(truth.xyxy[~seen], width, height))
    occupied = set(places[:n_claimed])
    for place in np.ndindex(REGIONS, REGIONS):
        if place not in occupied:
            unsure = tuple(
                box
                for box, where in zip(boxes[n_claimed:], places[n_claimed:], strict=True)
                if where == place
            )
            yield Item(unsure, is_error=place in missed)


def _match(claims: Detections, truth: Truth) -> tuple[list[bool], NDArray[np.bool_]]:
    """Return which claims are right, best first, and which true things they are."""
    seen = np.zeros(len(truth.labels), np.bool_)
    overlaps = iou_matrix(claims.xyxy, truth.xyxy)
    matched = []
    for number, label in enumerate(claims.labels):
        fits = np.where(~seen & (truth.labels == label), overlaps[number], 0.0)
        best = int(fits.argmax()) if len(fits) else -1
        is_right = best >= 0 and fits[best] >= SAME
        if is_right:
            seen[best] = True
        matched.append(bool(is_right))
    return matched, seen


def _regions(boxes: NDArray[np.float32], width: int, height: int) -> list[tuple[int, ...]]:
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 / (width, height) * REGIONS
    return [tuple(place) for place in centres.astype(int).clip(0, REGIONS - 1).tolist()]
