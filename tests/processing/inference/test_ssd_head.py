"""What is written into SSD's outputs is read out of them; its anchors are the well-known ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from numpy.typing import NDArray

from processing.inference.heads.decoder import Unfit
from processing.inference.heads.ssd import SsdDecoder, SsdHead, anchors
from processing.inference.thresholds import Thresholds
from tests.processing.inference.drawn_things import (
    BROKEN,
    N_LABELS,
    SPEC,
    Thing,
    assert_found,
    assert_sane,
    things,
)

HEAD = SsdHead(boxes="boxes", classes="classes", strides=(16, 32))
N_ANCHORS = 8 * 6 * 3 + 4 * 3 * 6


def decoder(nms_iou: float = 1.0, floor: float = 0.2) -> SsdDecoder:
    thresholds = Thresholds(score_floor=floor, nms_iou=nms_iou)
    return HEAD.decoder(SPEC, n_labels=N_LABELS, thresholds=thresholds)


def encode(wanted: list[Thing]) -> list[NDArray[np.float32]]:
    """Return boxes (anchors, 4) and classes (anchors, 1 + n_labels)."""
    boxes = np.zeros((N_ANCHORS, 4), np.float32)
    classes = np.full((N_ANCHORS, 1 + N_LABELS), -20.0, np.float32)
    classes[:, 0] = 20.0  # "nothing", of which no box must ever be made
    around = anchors(HEAD, SPEC)
    for thing in wanted:
        y, x, height, width = (float(number) for number in around[thing.cell])
        boxes[thing.cell] = (
            10.0 * (thing.y / SPEC.height - y) / height,
            10.0 * (thing.x / SPEC.width - x) / width,
            5.0 * np.log(thing.height / SPEC.height / height),
            5.0 * np.log(thing.width / SPEC.width / width),
        )
        classes[thing.cell, 1 + thing.label] = np.log(thing.score / (1.0 - thing.score))
    return [boxes, classes]


@given(things(N_ANCHORS))
def test_it_works(wanted: list[Thing]) -> None:
    assert_found(decoder()(encode(wanted)), wanted)


def test_the_anchors_are_those_of_mediapipe() -> None:
    square = replace(SPEC, width=300, height=300)
    found = anchors(SsdHead(boxes="boxes", classes="classes"), square)
    assert found.shape == (1917, 4)
    # Of the 19 x 19 layer, the first cell; then of the 10 x 10 layer; then the very last.
    np.testing.assert_allclose(found[0], (0.5 / 19, 0.5 / 19, 0.1, 0.1), rtol=1e-4)
    np.testing.assert_allclose(found[1, 2:], (0.2 / 2**0.5, 0.2 * 2**0.5), rtol=1e-4)
    np.testing.assert_allclose(found[3, :2], (0.5 / 19, 1.5 / 19), rtol=1e-4)
    np.testing.assert_allclose(found[1083], (0.05, 0.05, 0.35, 0.35), rtol=1e-4)
    np.testing.assert_allclose(found[1088, 2:], (0.35 * 0.5) ** 0.5, rtol=1e-4)
    np.testing.assert_allclose(found[-1], (0.5, 0.5, 0.95**0.5, 0.95**0.5), rtol=1e-4)


def test_two_anchors_that_see_the_same_thing_give_one_box() -> None:
    same = [Thing(cell, 2, 0.9 - cell / 1000, 40.0, 30.0, 20.0, 10.0) for cell in (0, 1, 200)]
    assert_found(decoder(nms_iou=0.6)(encode(same)), same[:1])


def test_the_lowest_and_the_highest_floor_are_floors_too() -> None:
    outputs = encode([Thing(3, 1, 0.5, 40.0, 30.0, 20.0, 10.0)])
    assert decoder(floor=0.0)(outputs).scores.max() == pytest.approx(0.5)
    assert len(decoder(floor=1.0)(outputs)) == 0


@given(st.integers(0, 1000), st.sampled_from(BROKEN))
def test_broken_numbers_give_no_broken_boxes(seed: int, number: float) -> None:
    rng = np.random.default_rng(seed)
    outputs = [rng.normal(0.0, 3.0, each.shape).astype(np.float32) for each in encode([])]
    for output in outputs:
        output[rng.uniform(size=output.shape) < 0.1] = number
    assert_sane(decoder(nms_iou=0.6)(outputs))


def test_shapes_that_do_not_fit_are_named() -> None:
    decoder().check({"boxes": (216, 4), "classes": (216, 6)})
    with pytest.raises(Unfit, match=r"'classes' has the shape \(216, 5\), not \(216, 6\)"):
        decoder().check({"boxes": (216, 4), "classes": (216, 5)})
