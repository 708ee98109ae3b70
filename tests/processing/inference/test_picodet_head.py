"""PicoDet is NanoDet, measured from the middle of a cell: what is written is read again."""

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from processing.inference.heads.distances import Level
from processing.inference.heads.nanodet import NanodetHead
from processing.inference.heads.picodet import PicodetHead
from processing.inference.thresholds import Thresholds
from tests.processing.inference.drawn_things import N_LABELS, SPEC, Thing, assert_found, things

N_BINS = 8
LEVELS = tuple(Level(stride=s, scores=f"cls_{s}", distances=f"dis_{s}") for s in (16, 32))
HEAD = PicodetHead(levels=LEVELS, n_bins=N_BINS)
SIZES = {16: (8, 6), 32: (4, 3)}
N_CELLS = 8 * 6 + 4 * 3


def place(cell: int) -> tuple[int, int, float, float]:
    """Return a cell's stride, its number within the level, and its middle in pixels."""
    stride = 16 if cell < 48 else 32
    number = cell if cell < 48 else cell - 48
    row, column = divmod(number, SIZES[stride][0])
    return stride, number, (column + 0.5) * stride, (row + 0.5) * stride


def within_reach(thing: Thing) -> Thing:
    """Return the thing moved so that its sides are 0 to 7 strides from the middle of its cell."""
    _, _, x, y = place(thing.cell)
    x += (thing.x / SPEC.width - 0.5) * thing.width * 0.9
    y += (thing.y / SPEC.height - 0.5) * thing.height * 0.9
    return Thing(thing.cell, thing.label, thing.score, x, y, thing.width, thing.height)


def encode(wanted: list[Thing]) -> list[NDArray[np.float32]]:
    """Return scores (cells, n_labels) of both levels, then logits (cells, 4 * n_bins)."""
    scores = {s: np.zeros((w * h, N_LABELS), np.float32) for s, (w, h) in SIZES.items()}
    bins = {s: np.full((w * h, 4, N_BINS), -50.0, np.float32) for s, (w, h) in SIZES.items()}
    for thing in wanted:
        stride, number, x, y = place(thing.cell)
        scores[stride][number, thing.label] = thing.score
        left, top, right, bottom = thing.xyxy
        for side, pixels in enumerate((x - left, y - top, right - x, bottom - y)):
            # Between two bins, weighted so that their mean is the distance.
            low = min(int(pixels / stride), N_BINS - 2)
            share = pixels / stride - low
            bins[stride][number, side, low] = np.log(max(1.0 - share, 1e-9))
            bins[stride][number, side, low + 1] = np.log(max(share, 1e-9))
    logits = [each.reshape(len(each), -1) for each in bins.values()]
    return [*scores.values(), *logits]


@given(things(N_CELLS).map(lambda drawn: [within_reach(thing) for thing in drawn]))
def test_it_works(wanted: list[Thing]) -> None:
    thresholds = Thresholds(score_floor=0.2, nms_iou=1.0)
    decode = HEAD.decoder(SPEC, n_labels=N_LABELS, thresholds=thresholds)
    decode.check({"cls_16": (48, 5), "cls_32": (12, 5), "dis_16": (48, 32), "dis_32": (12, 32)})
    assert_found(decode(encode(wanted)), wanted)


def test_nanodet_measures_from_half_a_pixel_before() -> None:
    nanodet = NanodetHead(levels=LEVELS, n_bins=N_BINS)
    outputs = encode([within_reach(Thing(9, 1, 0.9, 64.0, 48.0, 30.0, 20.0))])
    boxes = [
        head.decoder(SPEC, n_labels=N_LABELS, thresholds=Thresholds())(outputs).xyxy
        for head in (HEAD, nanodet)
    ]
    assert (boxes[0] - boxes[1]).tolist() == [pytest.approx([0.5] * 4, abs=1e-4)]
