"""YOLOX: no anchors; a centre within reach of a cell, and sides as logarithms."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from processing.inference.heads.candidates import MAX_EXPONENT, above
from processing.inference.heads.grid import cell_corners, n_cells
from processing.inference.heads.shapes import require_shapes
from processing.inference.heads.suppression import suppress
from processing.inference.input_spec import InputSpec
from processing.inference.thresholds import Thresholds
from processing.vision.detections import Detections


class YoloxHead(Struct, frozen=True, kw_only=True, tag_field="kind", tag="yolox"):
    """Parameters of the head; levels follow each other, in each the cells run row by row."""

    output: str
    """Output tensor (1, cells, 5 + n_labels): x, y from the cell's corner in strides, logarithms of
    width and height in strides, then probabilities: of anything, and of every label if so."""
    strides: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=256)], ...], Meta(min_length=1, max_length=8)
    ] = (8, 16, 32)

    def decoder(self, spec: InputSpec, *, n_labels: int, thresholds: Thresholds) -> "YoloxDecoder":
        """Return the function for a network with this input."""
        return YoloxDecoder(self, spec, n_labels, thresholds)


class YoloxDecoder:
    """A cell that holds nothing above the floor holds no label above it: most end there."""

    def __init__(
        self, head: YoloxHead, spec: InputSpec, n_labels: int, thresholds: Thresholds
    ) -> None:
        self._n_labels = n_labels
        self._thresholds = thresholds
        self._corners = np.concatenate([cell_corners(spec, stride) for stride in head.strides])
        self._strides = np.repeat(
            np.array(head.strides, np.float32), [n_cells(spec, stride) for stride in head.strides]
        )[:, np.newaxis]
        self.outputs: tuple[str, ...] = (head.output,)

    def check(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """See `Decoder`."""
        require_shapes({self.outputs[0]: (len(self._corners), 5 + self._n_labels)}, shapes)

    def __call__(self, outputs: Sequence[NDArray[np.float32]]) -> Detections:
        """See `Decoder`."""
        (rows,) = outputs
        floor = self._thresholds.score_floor
        cells = np.flatnonzero(rows[:, 4] > floor)
        # A broken network's infinities would be scores above 1.
        shares = np.clip(rows[cells, 4:], 0.0, 1.0)
        of_cell, labels, scores = above(shares[:, :1] * shares[:, 1:], floor)
        boxes = self._boxes(rows, cells[of_cell])
        return suppress(boxes, scores, labels, self._thresholds)

    def _boxes(self, rows: NDArray[np.float32], cells: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return boxes (n, 4) of these cells."""
        strides = self._strides[cells]
        centres = (rows[cells, :2] + self._corners[cells]) * strides
        halves = np.exp(np.minimum(rows[cells, 2:4], MAX_EXPONENT)) * (strides / 2)
        return np.concatenate((centres - halves, centres + halves), axis=1)
