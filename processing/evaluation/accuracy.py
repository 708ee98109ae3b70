"""Mean average precision as COCO defines it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from numpy.typing import NDArray

from processing.vision.detections import Boxes, Detections
from processing.vision.truth import Truth

_AP: Final = 0
_AP_50: Final = 1


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Mean average precision, 0..1; nan where the truth has nothing to find."""

    map_50_95: float
    """Over the overlaps 0.50, 0.55 ... 0.95, and over all labels that occur in the truth."""
    map_50: float
    n_images: int
    by_label: Mapping[int, float] = field(default_factory=dict)
    """As `map_50_95`, for each label that occurs in the truth."""


def measure_accuracy(pairs: Sequence[tuple[Truth, Detections]]) -> Accuracy:
    """Return how well the detections fit the truth, picture by picture.

    Detections should reach down to low scores (0.01 is usual); COCO takes the best 100 a picture.
    """
    labels = sorted({int(label) for truth, _ in pairs for label in truth.labels})
    if not labels:
        return Accuracy(float("nan"), float("nan"), len(pairs))
    truth = COCO(
        {
            "images": [{"id": image} for image in range(len(pairs))],
            "categories": [{"id": label, "name": str(label)} for label in labels],
            "annotations": list(_annotations(pairs)),
        }
    )
    evaluation = COCOeval_faster(truth, truth.loadRes(_results(pairs)), iouType="bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    precision = np.asarray(evaluation.eval["precision"])  # (overlap, recall, label, area, n)
    return Accuracy(
        map_50_95=_share(evaluation.stats[_AP]),
        map_50=_share(evaluation.stats[_AP_50]),
        n_images=len(pairs),
        by_label={
            label: _share(precision[:, :, index, 0, -1].mean())
            for index, label in enumerate(labels)
        },
    )


def _annotations(pairs: Sequence[tuple[Truth, Detections]]) -> Iterator[dict[str, object]]:
    """Yield the truth as COCO writes it; annotation ids start at 1, as 0 means "not matched"."""
    number = 0
    for image, (truth, _) in enumerate(pairs):
        boxes = _corners_and_sides(truth.xyxy)
        for box, label, size, is_crowd in zip(
            boxes, truth.labels, truth.areas, truth.is_crowd, strict=True
        ):
            number += 1
            yield {
                "id": number,
                "image_id": image,
                "category_id": int(label),
                "bbox": box.tolist(),
                "area": float(size),
                "iscrowd": int(is_crowd),
            }


def _results(pairs: Sequence[tuple[Truth, Detections]]) -> NDArray[np.float64]:
    """Return the detections as (n, 7): image, x, y, width, height, score, label."""
    rows = [
        np.column_stack(
            (np.full(len(found), image), _corners_and_sides(found.xyxy), found.scores, found.labels)
        )
        for image, (_, found) in enumerate(pairs)
    ]
    return np.concatenate(rows).astype(np.float64)


def _corners_and_sides(boxes: Boxes) -> NDArray[np.float64]:
    wide = boxes.astype(np.float64)
    return np.concatenate((wide[:, :2], wide[:, 2:] - wide[:, :2]), axis=1)


def _share(value: float) -> float:
    """Return the value, or nan for COCO's -1, which says that there was nothing to find."""
    return float(value) if value >= 0.0 else float("nan")
