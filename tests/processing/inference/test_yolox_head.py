"""What is written into YOLOX's output is read out of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from processing.inference.heads.decoder import Unfit
from processing.inference.heads.yolox import YoloxDecoder, YoloxHead
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

HEAD = YoloxHead(output="output", strides=(8, 16, 32))
LEVELS = ((32, 240, 4), (16, 192, 8), (8, 0, 16))
"""Stride, number of the first cell, columns; the last level first."""
N_CELLS = 16 * 12 + 8 * 6 + 4 * 3


def decoder(nms_iou: float = 1.0) -> YoloxDecoder:
    thresholds = Thresholds(score_floor=0.2, nms_iou=nms_iou)
    return HEAD.decoder(SPEC, n_labels=N_LABELS, thresholds=thresholds)


def encode(wanted: list[Thing]) -> NDArray[np.float32]:
    """Return the output (cells, 5 + n_labels), each number from YOLOX's definition of it."""
    output = np.zeros((N_CELLS, 5 + N_LABELS), np.float32)
    for thing in wanted:
        stride, start, columns = next(level for level in LEVELS if thing.cell >= level[1])
        row, column = divmod(thing.cell - start, columns)
        offset = (thing.x / stride - column, thing.y / stride - row)
        size = (np.log(thing.width / stride), np.log(thing.height / stride))
        output[thing.cell, :5] = (*offset, *size, 0.95)
        output[thing.cell, 5 + thing.label] = thing.score / 0.95
    return output


@given(things(N_CELLS))
def test_it_works(wanted: list[Thing]) -> None:
    assert_found(decoder()([encode(wanted)]), wanted)


def test_a_cell_sure_of_something_but_of_no_label_says_nothing() -> None:
    output = np.zeros((N_CELLS, 5 + N_LABELS), np.float32)
    output[:, 4] = 1.0
    output[:, 5:] = 0.2
    assert len(decoder()([output])) == 0


def test_two_cells_that_see_the_same_thing_give_one_box() -> None:
    same = [Thing(cell, 2, 0.9 - cell / 100, 40.0, 30.0, 20.0, 10.0) for cell in (0, 1, 200)]
    assert_found(decoder(nms_iou=0.6)([encode(same)]), same[:1])


@given(st.integers(0, 1000), st.sampled_from(BROKEN))
def test_broken_numbers_give_no_broken_boxes(seed: int, number: float) -> None:
    rng = np.random.default_rng(seed)
    output = rng.normal(0.0, 3.0, (N_CELLS, 5 + N_LABELS)).astype(np.float32)
    output[rng.uniform(size=output.shape) < 0.1] = number
    assert_sane(decoder(nms_iou=0.6)([output]))


def test_shapes_that_do_not_fit_are_named() -> None:
    decoder().check({"output": (N_CELLS, 5 + N_LABELS)})
    with pytest.raises(Unfit, match=r"'output' has the shape \(252, 85\), not \(252, 10\)"):
        decoder().check({"output": (N_CELLS, 85)})
    with pytest.raises(Unfit, match="no output 'output'"):
        decoder().check({})
