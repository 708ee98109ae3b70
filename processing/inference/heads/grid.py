"""The cells in which networks look for things: a grid per stride, row by row."""

import numpy as np
from numpy.typing import NDArray

from processing.inference.input_spec import InputSpec


def n_cells(spec: InputSpec, stride: int) -> int:
    """Return how many cells of `stride` pixels cover the input."""
    columns, rows = grid_size(spec, stride)
    return columns * rows


def grid_size(spec: InputSpec, stride: int) -> tuple[int, int]:
    """Return how many columns and rows of cells cover the input."""
    return -(-spec.width // stride), -(-spec.height // stride)


def cell_corners(spec: InputSpec, stride: int) -> NDArray[np.float32]:
    """Return column and row (cells, 2) of every cell."""
    columns, rows = grid_size(spec, stride)
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    return np.stack((x.ravel(), y.ravel()), axis=1)
