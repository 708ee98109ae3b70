"""Things to write into a network's outputs, and what must be read out of them again."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from processing.inference.input_spec import InputSpec
from processing.vision.detections import Detections

N_LABELS = 5
SPEC = InputSpec(
    tensor="image",
    width=128,
    height=96,
    colour="bgr",
    mean=(0.0, 0.0, 0.0),
    scale=(1.0, 1.0, 1.0),
    resize="stretch",
)
"""Wider than high, so that nobody swaps the two unnoticed."""
BROKEN = (np.nan, np.inf, -np.inf, 1e30)


@dataclass(frozen=True, slots=True)
class Thing:
    """One box, in pixels of the input, and the cell (or anchor) that says it."""

    cell: int
    label: int
    score: float
    x: float
    """Of the centre."""
    y: float
    width: float
    height: float

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        half = self.width / 2, self.height / 2
        return (self.x - half[0], self.y - half[1], self.x + half[0], self.y + half[1])


def things(n_cells: int, *, max_size: int = 8) -> st.SearchStrategy[list[Thing]]:
    """Return things, best first, no two of one cell or of one score."""
    labels, shares = st.integers(0, N_LABELS - 1), st.floats(0.0, 1.0)
    drawn = st.tuples(st.integers(0, n_cells - 1), labels, shares, shares, shares, shares)
    return st.lists(drawn, max_size=max_size, unique_by=lambda each: each[0]).map(_ranked)


def _ranked(drawn: list[tuple[int, int, float, float, float, float]]) -> list[Thing]:
    return [
        Thing(
            cell=cell,
            label=label,
            score=0.9 - 0.05 * rank,
            x=SPEC.width * x,
            y=SPEC.height * y,
            width=2.0 + 90.0 * width,
            height=2.0 + 70.0 * height,
        )
        for rank, (cell, label, x, y, width, height) in enumerate(drawn)
    ]


def assert_found(found: Detections, wanted: list[Thing]) -> None:
    """Fail unless these things were found, best first, and no others."""
    assert found.labels.tolist() == [thing.label for thing in wanted]
    np.testing.assert_allclose(found.scores, [thing.score for thing in wanted], atol=1e-4)
    boxes = np.array([thing.xyxy for thing in wanted]).reshape(-1, 4)
    np.testing.assert_allclose(found.xyxy, boxes, rtol=1e-3, atol=1e-2)
    assert found.xyxy.dtype == found.scores.dtype == np.float32


def assert_sane(found: Detections) -> None:
    """Fail if a broken network's numbers reach anybody."""
    assert np.isfinite(found.xyxy).all()
    assert ((found.scores >= 0.0) & (found.scores <= 1.0)).all()
