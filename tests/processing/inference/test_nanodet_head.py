"""The vectorised decoding equals the formula, written out box by box."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from processing.inference.heads.decoder import Unfit
from processing.inference.heads.nanodet import Level, NanodetHead
from processing.inference.input_spec import InputSpec
from processing.inference.thresholds import Thresholds
from processing.vision.geometry import iou_matrix

N_LABELS = 5
N_BINS = 4
STRIDES = (8, 16)
SPEC = InputSpec(
    tensor="image",
    width=64,
    height=48,
    colour="bgr",
    mean=(0.0, 0.0, 0.0),
    scale=(1.0, 1.0, 1.0),
    resize="stretch",
)
HEAD = NanodetHead(
    levels=tuple(Level(stride=s, scores=f"cls_{s}", distances=f"dis_{s}") for s in STRIDES),
    n_bins=N_BINS,
)
CELLS = {8: 8 * 6, 16: 4 * 3}


def random_outputs(seed: int, *, share_above: float) -> list[NDArray[np.float32]]:
    """Return scores, then distances, of both levels; about `share_above` of scores are not 0."""
    rng = np.random.default_rng(seed)
    scores = []
    for stride in STRIDES:
        level = rng.uniform(0.0, 1.0, (CELLS[stride], N_LABELS))
        level[rng.uniform(size=level.shape) > share_above] = 0.0
        scores.append(level.astype(np.float32))
    distances = [
        rng.normal(0.0, 3.0, (CELLS[stride], 4 * N_BINS)).astype(np.float32) for stride in STRIDES
    ]
    return scores + distances


def by_hand(
    outputs: list[NDArray[np.float32]], floor: float
) -> list[tuple[tuple[float, ...], float, int]]:
    """Return (box, score, label) of everything above the floor, slowly."""
    found: list[tuple[tuple[float, ...], float, int]] = []
    for index, stride in enumerate(STRIDES):
        columns = SPEC.width // stride
        for cell in range(CELLS[stride]):
            x = (cell % columns + 0.5) * stride - 0.5
            y = (cell // columns + 0.5) * stride - 0.5
            sides = []
            for side in range(4):
                logits = outputs[2 + index][cell, side * N_BINS : (side + 1) * N_BINS]
                weights = np.exp(logits.astype(np.float64) - logits.max())
                sides.append(float((weights * np.arange(N_BINS)).sum() / weights.sum()) * stride)
            box = (x - sides[0], y - sides[1], x + sides[2], y + sides[3])
            for label in range(N_LABELS):
                score = float(outputs[index][cell, label])
                if score > floor:
                    found.append((box, score, label))
    return found


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.02, 0.3]))
def test_it_equals_the_formula(seed: int, share_above: float) -> None:
    outputs = random_outputs(seed, share_above=share_above)
    thresholds = Thresholds(score_floor=0.2, nms_iou=1.0)
    found = HEAD.decoder(SPEC, n_labels=N_LABELS, thresholds=thresholds)(outputs)
    expected = sorted(by_hand(outputs, 0.2), key=lambda each: -each[1])
    assert len(found) == len(expected)
    np.testing.assert_allclose(found.scores, [each[1] for each in expected], atol=1e-6)
    assert found.labels.tolist() == [each[2] for each in expected]
    if expected:
        np.testing.assert_allclose(found.xyxy, [each[0] for each in expected], atol=1e-3)


@given(st.integers(0, 10_000), st.floats(0.1, 0.9))
def test_no_two_boxes_of_a_label_overlap_more_than_allowed(seed: int, nms_iou: float) -> None:
    thresholds = Thresholds(score_floor=0.2, nms_iou=nms_iou)
    decoder = HEAD.decoder(SPEC, n_labels=N_LABELS, thresholds=thresholds)
    found = decoder(random_outputs(seed, share_above=0.3))
    overlaps = iou_matrix(found.xyxy, found.xyxy)
    is_other = ~np.eye(len(found), dtype=bool)
    is_same_label = found.labels[:, None] == found.labels[None, :]
    assert (overlaps[is_other & is_same_label] <= nms_iou + 1e-5).all()


def test_only_the_best_are_kept_best_first() -> None:
    thresholds = Thresholds(score_floor=0.0, nms_iou=1.0, max_detections=7)
    outputs = random_outputs(1, share_above=1.0)
    found = HEAD.decoder(SPEC, n_labels=N_LABELS, thresholds=thresholds)(outputs)
    best = np.sort(np.concatenate([level.ravel() for level in outputs[:2]]))[::-1][:7]
    np.testing.assert_array_equal(found.scores, best)


def test_broken_numbers_give_no_boxes() -> None:
    outputs = random_outputs(2, share_above=0.5)
    outputs[2][:] = np.nan
    outputs[3][:] = np.inf
    decoder = HEAD.decoder(SPEC, n_labels=N_LABELS, thresholds=Thresholds())
    found = decoder(outputs)
    assert np.isfinite(found.xyxy).all()


def test_the_answer_does_not_look_into_the_outputs() -> None:
    outputs = random_outputs(3, share_above=0.3)
    decoder = HEAD.decoder(SPEC, n_labels=N_LABELS, thresholds=Thresholds())
    found = decoder(outputs)
    before = found.xyxy.copy(), found.scores.copy()
    for output in outputs:
        output.fill(0.0)
    np.testing.assert_array_equal(found.xyxy, before[0])
    np.testing.assert_array_equal(found.scores, before[1])


def test_shapes_that_do_not_fit_are_named() -> None:
    decoder = HEAD.decoder(SPEC, n_labels=N_LABELS, thresholds=Thresholds())
    good = {"cls_8": (48, 5), "cls_16": (12, 5), "dis_8": (48, 16), "dis_16": (12, 16)}
    decoder.check(good)
    with pytest.raises(Unfit, match=r"'cls_16' has the shape \(13, 5\), not \(12, 5\)"):
        decoder.check(good | {"cls_16": (13, 5)})
    with pytest.raises(Unfit, match="no output 'dis_8'"):
        decoder.check({name: shape for name, shape in good.items() if name != "dis_8"})
