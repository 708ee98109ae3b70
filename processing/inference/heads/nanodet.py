"""NanoDet and its kin: the distance of each side of a box, as a distribution over bins."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from processing.inference.heads.decoder import Unfit
from processing.inference.heads.suppression import suppress
from processing.inference.input_spec import InputSpec
from processing.inference.thresholds import Thresholds
from processing.vision.detections import Boxes, Detections

_MAX_CANDIDATES: Final = 1000
"""Before suppression; a picture that has more is noise."""


class Level(Struct, frozen=True, kw_only=True):
    """One resolution of the network: a grid of cells, each `stride` pixels apart."""

    stride: Annotated[int, Meta(ge=1, le=256)]
    scores: str
    """Output tensor (1, cells, n_labels): probabilities, after the sigmoid."""
    distances: str
    """Output tensor (1, cells, 4 * n_bins): logits, for left, top, right and bottom."""


class NanodetHead(Struct, frozen=True, kw_only=True, tag_field="kind", tag="nanodet"):
    """Parameters of the head; cells run row by row."""

    levels: Annotated[tuple[Level, ...], Meta(min_length=1, max_length=8)]
    n_bins: Annotated[int, Meta(ge=2, le=64)]

    def decoder(
        self, spec: InputSpec, *, n_labels: int, thresholds: Thresholds
    ) -> "NanodetDecoder":
        """Return the function for a network with this input."""
        return NanodetDecoder(self, spec, n_labels, thresholds)


class NanodetDecoder:
    """Looks at scores first: of 3,549 cells only the few above the floor are decoded at all."""

    def __init__(
        self, head: NanodetHead, spec: InputSpec, n_labels: int, thresholds: Thresholds
    ) -> None:
        self._n_labels = n_labels
        self._thresholds = thresholds
        self._strides = tuple(np.float32(level.stride) for level in head.levels)
        self._centres = tuple(_centres(spec, level.stride) for level in head.levels)
        self._bins = np.arange(head.n_bins, dtype=np.float32)
        scores = tuple(level.scores for level in head.levels)
        self.outputs: tuple[str, ...] = (*scores, *(level.distances for level in head.levels))

    def check(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Raise `Unfit` unless the outputs (without the batch axis) have the shapes they must."""
        cells = [len(centres) for centres in self._centres]
        depths = [self._n_labels] * len(cells) + [4 * len(self._bins)] * len(cells)
        for name, shape in zip(self.outputs, zip(cells * 2, depths, strict=True), strict=True):
            if name not in shapes:
                raise Unfit(f"the network has no output {name!r}")
            if shapes[name] != shape:
                raise Unfit(f"output {name!r} has the shape {shapes[name]}, not {shape}")

    def __call__(self, outputs: Sequence[NDArray[np.float32]]) -> Detections:
        """See `Decoder`."""
        n_levels = len(self._strides)
        found = [
            self._candidates(level, outputs[level], outputs[n_levels + level])
            for level in range(n_levels)
        ]
        boxes, scores, labels = (np.concatenate(part) for part in zip(*found, strict=True))
        if len(scores) > _MAX_CANDIDATES:
            best = np.argpartition(-scores, _MAX_CANDIDATES)[:_MAX_CANDIDATES]
            boxes, scores, labels = boxes[best], scores[best], labels[best]
        return suppress(boxes, scores, labels, self._thresholds)

    def _candidates(
        self, level: int, scores: NDArray[np.float32], distances: NDArray[np.float32]
    ) -> tuple[Boxes, NDArray[np.float32], NDArray[np.intp]]:
        flat = scores.reshape(-1)
        above = np.flatnonzero(flat > self._thresholds.score_floor)
        cells, labels = np.divmod(above, self._n_labels)
        sides = self._expected(distances[cells]) * self._strides[level]
        centres = self._centres[level][cells]
        boxes = np.concatenate((centres - sides[:, :2], centres + sides[:, 2:]), axis=1)
        return boxes, flat[above], labels

    def _expected(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the mean bin (n, 4) of the distributions (n, 4 * n_bins)."""
        weights = logits.reshape(-1, 4, len(self._bins))
        weights = np.exp(weights - weights.max(axis=2, keepdims=True))
        mean: NDArray[np.float32] = (weights @ self._bins) / weights.sum(axis=2)
        return mean


def _centres(spec: InputSpec, stride: int) -> NDArray[np.float32]:
    """Return the centres (cells, 2) of a level's cells in pixels of the input, row by row."""
    columns = (np.arange(-(-spec.width // stride), dtype=np.float32) + 0.5) * stride - 0.5
    rows = (np.arange(-(-spec.height // stride), dtype=np.float32) + 0.5) * stride - 0.5
    x, y = np.meshgrid(columns, rows)
    return np.stack((x.ravel(), y.ravel()), axis=1).astype(np.float32)
