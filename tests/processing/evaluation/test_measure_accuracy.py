"""Our mAP is COCO's: checked against pycocotools on random pictures."""

import contextlib
import io
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from processing.evaluation.accuracy import measure_accuracy
from processing.vision.detections import Detections
from processing.vision.geometry import areas
from processing.vision.truth import Truth


def truth_of(*boxes: tuple[float, ...], labels: tuple[int, ...] | None = None) -> Truth:
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    return Truth(
        xyxy,
        np.array(labels or [0] * len(boxes), np.int32),
        np.zeros(len(boxes), bool),
        areas(xyxy),
    )


def found_at(*boxes: tuple[float, ...], label: int = 0) -> Detections:
    scores = np.linspace(0.9, 0.5, len(boxes)).astype(np.float32)
    xyxy = np.array(boxes, np.float32).reshape(-1, 4)
    return Detections(xyxy, scores, np.full(len(boxes), label, np.int32))


def test_it_works() -> None:
    boxes = ((10, 10, 50, 60), (60, 10, 90, 80))
    accuracy = measure_accuracy([(truth_of(*boxes), found_at(*boxes))])
    assert accuracy.map_50_95 == pytest.approx(1.0)
    assert accuracy.by_label == {0: pytest.approx(1.0)}
    assert accuracy.n_images == 1


def test_half_of_it_found_is_about_half() -> None:
    accuracy = measure_accuracy(
        [(truth_of((10, 10, 50, 60), (60, 10, 90, 80)), found_at((10, 10, 50, 60)))]
    )
    assert accuracy.map_50 == pytest.approx(0.505, abs=0.01)


def test_nothing_found_is_nought() -> None:
    accuracy = measure_accuracy([(truth_of((10, 10, 50, 60)), Detections.empty())])
    assert accuracy.map_50_95 == 0.0


def test_the_wrong_label_is_nought() -> None:
    box = (10, 10, 50, 60)
    accuracy = measure_accuracy([(truth_of(box), found_at(box, label=1))])
    assert accuracy.map_50_95 == 0.0


def test_nothing_to_find_is_not_a_number() -> None:
    accuracy = measure_accuracy([(truth_of(), found_at((1, 1, 9, 9)))])
    assert math.isnan(accuracy.map_50_95)
    assert math.isnan(measure_accuracy([]).map_50)


def test_a_crowd_may_be_found_or_not() -> None:
    box = (10, 10, 50, 60)
    crowd = Truth(
        np.array([box, (60, 60, 90, 90)], np.float32),
        np.array([0, 0], np.int32),
        np.array([False, True]),
        np.array([2000, 900], np.float32),
    )
    assert measure_accuracy([(crowd, found_at(box))]).map_50_95 == pytest.approx(1.0)
    assert measure_accuracy(
        [(crowd, found_at(box, (60, 60, 80, 80), (65, 65, 85, 85)))]
    ).map_50_95 == pytest.approx(1.0)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_it_equals_pycocotools(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = []
    for _ in range(4):
        n = int(rng.integers(1, 8))
        corner = rng.uniform(0, 80, (n, 2))
        xyxy = np.concatenate((corner, corner + rng.uniform(4, 60, (n, 2))), 1).astype(np.float32)
        labels = rng.integers(0, 3, n).astype(np.int32)
        truth = Truth(xyxy, labels, rng.uniform(size=n) < 0.1, areas(xyxy))
        moved = (xyxy + rng.normal(0, 3, (n, 4))).astype(np.float32)
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
        kept = rng.uniform(size=n) < 0.8
        scores = rng.uniform(0.1, 1, n).astype(np.float32)
        pairs.append((truth, Detections(moved, scores, labels)[kept]))
    ours = measure_accuracy(pairs)
    theirs = by_pycocotools(pairs)
    assert ours.map_50_95 == pytest.approx(theirs[0], abs=1e-6)
    assert ours.map_50 == pytest.approx(theirs[1], abs=1e-6)


def by_pycocotools(pairs: list[tuple[Truth, Detections]]) -> tuple[float, float]:
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for image, (truth, found) in enumerate(pairs):
        for box, label, area, crowd in zip(
            truth.xyxy, truth.labels, truth.areas, truth.is_crowd, strict=True
        ):
            annotations.append(
                {
                    "id": len(annotations) + 1, "image_id": image, "category_id": int(label),
                    "bbox": sides(box), "area": float(area), "iscrowd": int(crowd),
                }
            )  # fmt: skip
        for box, label, score in zip(found.xyxy, found.labels, found.scores, strict=True):
            result = {"image_id": image, "category_id": int(label), "bbox": sides(box)}
            results.append(result | {"score": float(score)})
    labels = sorted({annotation["category_id"] for annotation in annotations})
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": image} for image in range(len(pairs))],
            "categories": [{"id": label} for label in labels],
            "annotations": annotations,
        }
        coco.createIndex()
        if not results:
            return 0.0, 0.0
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0]), float(evaluation.stats[1])


def sides(box: np.ndarray) -> list[float]:
    left, top, right, bottom = (float(number) for number in box)
    return [left, top, right - left, bottom - top]
