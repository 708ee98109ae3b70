"""Each side of a box as a distribution over distances: what NanoDet and PicoDet share."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Final

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from processing.inference.heads.candidates import strongest
from processing.inference.heads.grid import cell_corners, n_cells
from processing.inference.heads.shapes import require_shapes
from processing.inference.heads.suppression import suppress
from processing.inference.input_spec import InputSpec
from processing.inference.thresholds import Thresholds
from processing.vision.detections import Detections

_LIMIT: Final = 60.0


class Level(Struct, frozen=True, kw_only=True):
    """One resolution of the network: a grid of cells, each `stride` pixels apart."""

    stride: Annotated[int, Meta(ge=1, le=256)]
    scores: str
    """Output tensor (1, cells, n_labels): probabilities, after the sigmoid."""
    distances: str
    """Output tensor (1, cells, 4 * n_bins): logits, for left, top, right and bottom."""


class DistanceHead(Struct, frozen=True, kw_only=True):
    """Parameters of the head; cells run row by row."""

    centre_shift: ClassVar[float]
    """Pixels from the middle of a cell to where its distances are measured from."""
    levels: Annotated[tuple[Level, ...], Meta(min_length=1, max_length=8)]
    n_bins: Annotated[int, Meta(ge=2, le=64)]

    def decoder(
        self, spec: InputSpec, *, n_labels: int, thresholds: Thresholds
    ) -> "DistanceDecoder":
        """Return the function for a network with this input."""
        return DistanceDecoder(self, spec, n_labels, thresholds)


class DistanceDecoder:
    """Looks at scores first: of 3,549 cells only the few above the floor are decoded at all."""

    def __init__(
        self, head: DistanceHead, spec: InputSpec, n_labels: int, thresholds: Thresholds
    ) -> None:
        self._n_labels = n_labels
        self._thresholds = thresholds
        self._n_cells = tuple(n_cells(spec, level.stride) for level in head.levels)
        self._centres = np.concatenate(
            [
                (cell_corners(spec, level.stride) + 0.5) * level.stride + head.centre_shift
                for level in head.levels
            ]
        ).astype(np.float32)
        self._strides = np.repeat(
            np.array([level.stride for level in head.levels], np.float32), self._n_cells
        )[:, np.newaxis]
        bins = np.arange(head.n_bins, dtype=np.float32)
        self._moments = np.stack((np.ones_like(bins), bins), axis=1)
        scores = tuple(level.scores for level in head.levels)
        self.outputs: tuple[str, ...] = (*scores, *(level.distances for level in head.levels))

    def check(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """See `Decoder`."""
        n_levels = len(self._n_cells)
        depths = [self._n_labels] * n_levels + [4 * len(self._moments)] * n_levels
        wanted = zip(self._n_cells * 2, depths, strict=True)
        require_shapes(dict(zip(self.outputs, wanted, strict=True)), shapes)

    def __call__(self, outputs: Sequence[NDArray[np.float32]]) -> Detections:
        """See `Decoder`."""
        n_levels = len(self._n_cells)
        cells, scores, labels = self._candidates(outputs[:n_levels])
        sides = self._expected(_rows(outputs[n_levels:], cells, self._n_cells))
        sides *= self._strides[cells]
        centres = self._centres[cells]
        boxes = np.concatenate((centres - sides[:, :2], centres + sides[:, 2:]), axis=1)
        return suppress(boxes, scores, labels, self._thresholds)

    def _candidates(
        self, levels: Sequence[NDArray[np.float32]]
    ) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.intp]]:
        """Return cell, score and label of what is above the floor, level by level."""
        flat = [level.reshape(-1) for level in levels]
        above = [np.flatnonzero(scores > self._thresholds.score_floor) for scores in flat]
        scores = np.concatenate([level[found] for level, found in zip(flat, above, strict=True)])
        starts = np.cumsum((0, *self._n_cells[:-1])) * self._n_labels
        numbers = np.concatenate(
            [found + start for found, start in zip(above, starts, strict=True)]
        )
        best = strongest(scores)
        cells, labels = np.divmod(numbers[best], self._n_labels)
        return cells, scores[best], labels

    def _expected(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the mean bin (n, 4) of the distributions (n, 4 * n_bins)."""
        # Clipped so that no exponent overflows; trained logits are far from it.
        weights = np.exp(np.clip(logits.reshape(-1, len(self._moments)), -_LIMIT, _LIMIT))
        total_and_mean = weights @ self._moments
        mean: NDArray[np.float32] = total_and_mean[:, 1] / total_and_mean[:, 0]
        return mean.reshape(-1, 4)


def _rows(
    levels: Sequence[NDArray[np.float32]], cells: NDArray[np.intp], counts: Sequence[int]
) -> NDArray[np.float32]:
    """Return the rows of these cells (ascending), which count through all levels."""
    starts = np.cumsum((0, *counts))
    cuts = np.searchsorted(cells, starts)
    return np.concatenate(
        [
            level[cells[cuts[number] : cuts[number + 1]] - starts[number]]
            for number, level in enumerate(levels)
        ]
    )
