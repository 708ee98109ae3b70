"""SSD with MobileNet: offsets from a fixed set of boxes, the anchors."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Final, TypeAlias

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

Positive: TypeAlias = Annotated[float, Meta(gt=0, le=1000)]

_SMALL: Final = 0.1
"""Side of the first layer's one small square, as a share of the input."""


class SsdHead(Struct, frozen=True, kw_only=True, tag_field="kind", tag="ssd"):
    """Parameters of the head; the defaults are TensorFlow's and MediaPipe's."""

    boxes: str
    """Output tensor (1, anchors, 4): y, x, height, width, relative to the anchor."""
    classes: str
    """Output tensor (1, anchors, 1 + n_labels): logits; the first column is "nothing"."""
    strides: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=1024)], ...], Meta(min_length=2, max_length=8)
    ] = (16, 32, 64, 128, 256, 512)
    """One layer each."""
    min_scale: Annotated[float, Meta(gt=0, le=1)] = 0.2
    """Side of the first layer's anchors, as a share of the input."""
    max_scale: Annotated[float, Meta(gt=0, le=1)] = 0.95
    """As `min_scale`, of the last; those between are spaced evenly."""
    ratios: Annotated[tuple[Positive, ...], Meta(min_length=1, max_length=8)] = (
        1.0, 2.0, 0.5, 3.0, 0.3333,
    )  # fmt: skip
    """Width over height."""
    is_first_layer_thin: bool = True
    """Only three anchors a cell there: a small square, and two of the first scale."""
    divisors: tuple[Positive, Positive, Positive, Positive] = (10.0, 10.0, 5.0, 5.0)
    """Of the four numbers of a box, in their order."""

    def decoder(self, spec: InputSpec, *, n_labels: int, thresholds: Thresholds) -> "SsdDecoder":
        """Return the function for a network with this input."""
        return SsdDecoder(self, spec, n_labels, thresholds)


class SsdDecoder:
    """Compares logits with the floor's logit: only what is above it goes through the sigmoid."""

    def __init__(
        self, head: SsdHead, spec: InputSpec, n_labels: int, thresholds: Thresholds
    ) -> None:
        self._n_labels = n_labels
        self._thresholds = thresholds
        self._anchors = anchors(head, spec)
        self._divisors = np.array(head.divisors, np.float32)
        self._size = np.array([spec.height, spec.width], np.float32)
        self._floor = _logit(thresholds.score_floor)
        self.outputs: tuple[str, ...] = (head.boxes, head.classes)

    def check(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """See `Decoder`."""
        boxes, classes = self.outputs
        n_anchors = len(self._anchors)
        require_shapes({boxes: (n_anchors, 4), classes: (n_anchors, 1 + self._n_labels)}, shapes)

    def __call__(self, outputs: Sequence[NDArray[np.float32]]) -> Detections:
        """See `Decoder`."""
        offsets, logits = outputs
        found, labels, strengths = above(logits[:, 1:], self._floor)
        # A logit below the negative of the largest exponent is not above any floor but 0.
        scores = 1.0 / (1.0 + np.exp(np.minimum(-strengths, MAX_EXPONENT)))
        boxes = self._boxes(offsets[found] / self._divisors, self._anchors[found])
        return suppress(boxes, scores.astype(np.float32), labels, self._thresholds)

    def _boxes(
        self, offsets: NDArray[np.float32], around: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return boxes (n, 4) of offsets and anchors (n, 4), both y, x, height, width."""
        centres = (offsets[:, :2] * around[:, 2:] + around[:, :2]) * self._size
        halves = np.exp(np.minimum(offsets[:, 2:], MAX_EXPONENT)) * around[:, 2:] * self._size / 2
        corners = np.concatenate((centres - halves, centres + halves), axis=1)
        return corners[:, [1, 0, 3, 2]].astype(np.float32, copy=False)


def anchors(head: SsdHead, spec: InputSpec) -> NDArray[np.float32]:
    """Return the anchors (n, 4): y, x of the centre, height, width, as shares of the input."""
    layers = [
        _layer(spec, stride, np.array(list(shapes), np.float32))
        for stride, shapes in zip(head.strides, _shapes(head), strict=True)
    ]
    return np.concatenate(layers)


def _layer(spec: InputSpec, stride: int, shapes: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a layer's anchors: every cell's (row by row), of every shape (height, width)."""
    centres = (cell_corners(spec, stride) + 0.5) / np.array(grid_size(spec, stride), np.float32)
    return np.concatenate(
        (np.repeat(centres[:, ::-1], len(shapes), axis=0), np.tile(shapes, (len(centres), 1))),
        axis=1,
    )


def _shapes(head: SsdHead) -> Iterator[Iterator[tuple[float, float]]]:
    """Yield for every layer the heights and widths of a cell's anchors."""
    scales = [*np.linspace(head.min_scale, head.max_scale, len(head.strides)).tolist(), 1.0]
    for index, (scale, following) in enumerate(pairwise(scales)):
        if index == 0 and head.is_first_layer_thin:
            sizes = [(_SMALL, 1.0), (scale, 2.0), (scale, 0.5)]
        else:
            # The last, between this layer's squares and the next one's.
            sizes = [
                *((scale, ratio) for ratio in head.ratios),
                (math.sqrt(scale * following), 1.0),
            ]
        yield ((side / math.sqrt(ratio), side * math.sqrt(ratio)) for side, ratio in sizes)


def _logit(share: float) -> float:
    if share in (0.0, 1.0):
        return math.copysign(math.inf, share - 0.5)
    return math.log(share / (1.0 - share))
