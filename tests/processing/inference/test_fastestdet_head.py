"""What is written into FastestDet's output is read out of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from processing.inference.heads.decoder import Unfit
from processing.inference.heads.fastestdet import FastestdetDecoder, FastestdetHead
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

HEAD = FastestdetHead(output="output", stride=16)
COLUMNS, ROWS = 8, 6


def decoder(nms_iou: float = 1.0) -> FastestdetDecoder:
    thresholds = Thresholds(score_floor=0.2, nms_iou=nms_iou)
    return HEAD.decoder(SPEC, n_labels=N_LABELS, thresholds=thresholds)


def near_its_cell(thing: Thing) -> Thing:
    """Return the thing moved to where its cell can say it: less than a stride from its corner."""
    row, column = divmod(thing.cell, COLUMNS)
    x = 16 * (column + 1.9 * (thing.x / SPEC.width - 0.5))
    y = 16 * (row + 1.9 * (thing.y / SPEC.height - 0.5))
    return Thing(thing.cell, thing.label, thing.score, x, y, thing.width, thing.height)


def encode(wanted: list[Thing]) -> NDArray[np.float32]:
    """Return the output (5 + n_labels, rows, columns)."""
    output = np.zeros((5 + N_LABELS, ROWS, COLUMNS), np.float32)
    for thing in wanted:
        row, column = divmod(thing.cell, COLUMNS)
        share_x, share_y = thing.width / SPEC.width, thing.height / SPEC.height
        output[:5, row, column] = (
            0.95,
            np.arctanh(thing.x / 16 - column),
            np.arctanh(thing.y / 16 - row),
            np.log(share_x / (1.0 - share_x)),
            np.log(share_y / (1.0 - share_y)),
        )
        output[5 + thing.label, row, column] = (thing.score / 0.95**0.6) ** 2.5
    return output


@given(things(COLUMNS * ROWS).map(lambda drawn: [near_its_cell(thing) for thing in drawn]))
def test_it_works(wanted: list[Thing]) -> None:
    assert_found(decoder()([encode(wanted)]), wanted)


def test_a_cell_sure_of_something_but_of_no_label_says_nothing() -> None:
    output = np.zeros((5 + N_LABELS, ROWS, COLUMNS), np.float32)
    output[0] = 1.0
    assert len(decoder()([output])) == 0


def test_two_cells_that_see_the_same_thing_give_one_box() -> None:
    same = [Thing(cell, 2, 0.9 - cell / 100, 24.0, 8.0, 40.0, 30.0) for cell in (1, 2)]
    assert_found(decoder(nms_iou=0.6)([encode(same)]), same[:1])


@given(st.integers(0, 1000), st.sampled_from(BROKEN))
def test_broken_numbers_give_no_broken_boxes(seed: int, number: float) -> None:
    rng = np.random.default_rng(seed)
    output = rng.normal(0.0, 3.0, (5 + N_LABELS, ROWS, COLUMNS)).astype(np.float32)
    output[rng.uniform(size=output.shape) < 0.1] = number
    assert_sane(decoder(nms_iou=0.6)([output]))


def test_shapes_that_do_not_fit_are_named() -> None:
    decoder().check({"output": (10, 6, 8)})
    with pytest.raises(Unfit, match=r"'output' has the shape \(10, 8, 6\), not \(10, 6, 8\)"):
        decoder().check({"output": (10, 8, 6)})
