"""FastestDet: one coarse grid; sides are shares of the picture."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from processing.inference.heads.candidates import MAX_EXPONENT, above
from processing.inference.heads.grid import cell_corners, grid_size
from processing.inference.heads.shapes import require_shapes
from processing.inference.heads.suppression import suppress
from processing.inference.input_spec import InputSpec
from processing.inference.thresholds import Thresholds
from processing.vision.detections import Detections

_WEIGHT_OF_ANYTHING: Final = 0.6
"""Exponents with which the two probabilities are multiplied into a score; they add up to 1."""
_WEIGHT_OF_LABEL: Final = 0.4


class FastestdetHead(Struct, frozen=True, kw_only=True, tag_field="kind", tag="fastestdet"):
    """Parameters of the head."""

    output: str
    """Output tensor (1, 5 + n_labels, rows, columns): probability of anything; before tanh, x and y
    from the cell's corner in strides; before the sigmoid, width and height as shares of the
    picture; then the probability of every label."""
    stride: Annotated[int, Meta(ge=1, le=256)] = 16

    def decoder(
        self, spec: InputSpec, *, n_labels: int, thresholds: Thresholds
    ) -> "FastestdetDecoder":
        """Return the function for a network with this input."""
        return FastestdetDecoder(self, spec, n_labels, thresholds)


class FastestdetDecoder:
    """Like YOLOX: only cells that hold something are looked at closely."""

    def __init__(
        self, head: FastestdetHead, spec: InputSpec, n_labels: int, thresholds: Thresholds
    ) -> None:
        columns, rows = grid_size(spec, head.stride)
        self._shape = (5 + n_labels, rows, columns)
        self._thresholds = thresholds
        self._stride = head.stride
        self._corners = cell_corners(spec, head.stride)
        self._half_size = np.array([spec.width, spec.height], np.float32) / 2
        self.outputs: tuple[str, ...] = (head.output,)

    def check(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """See `Decoder`."""
        require_shapes({self.outputs[0]: self._shape}, shapes)

    def __call__(self, outputs: Sequence[NDArray[np.float32]]) -> Detections:
        """See `Decoder`."""
        (planes,) = outputs
        columns = planes.reshape(self._shape[0], -1)
        floor = self._thresholds.score_floor
        # As no share exceeds 1, a cell whose first one is too low cannot make the floor.
        cells = np.flatnonzero(columns[0] > floor ** (1 / _WEIGHT_OF_ANYTHING))
        anything = np.minimum(columns[0, cells], 1.0) ** _WEIGHT_OF_ANYTHING
        shares = np.clip(columns[5:, cells].T, 0.0, 1.0) ** _WEIGHT_OF_LABEL
        of_cell, labels, scores = above(anything[:, np.newaxis] * shares, floor)
        boxes = self._boxes(columns, cells[of_cell])
        return suppress(boxes, scores, labels, self._thresholds)

    def _boxes(self, columns: NDArray[np.float32], cells: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return boxes (n, 4) of these cells."""
        raw = columns[1:5, cells].T
        centres = (np.tanh(raw[:, :2]) + self._corners[cells]) * self._stride
        halves = self._half_size / (1.0 + np.exp(np.minimum(-raw[:, 2:], MAX_EXPONENT)))
        boxes = np.concatenate((centres - halves, centres + halves), axis=1)
        return boxes.astype(np.float32, copy=False)
