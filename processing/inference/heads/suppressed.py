"""Networks that decode and suppress by themselves: what is left is to read what they kept.

Natively, beside other frames, that costs less than here; what every cell says must be decoded
though, not only what is worth it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from processing.inference.heads.decoder import Unfit
from processing.inference.heads.shapes import require_shapes
from processing.inference.input_spec import InputSpec
from processing.inference.thresholds import Thresholds
from processing.vision.detections import Detections

_ANY: tuple[int, ...] = (-1, 3)


class SuppressedHead(Struct, frozen=True, kw_only=True, tag_field="kind", tag="suppressed"):
    """Names of the outputs. The manifest's thresholds hold, whatever the network's own are."""

    boxes: str
    """Output tensor (1, cells, 4): x0, y0, x1, y1 in pixels of the input."""
    scores: str
    """Output tensor (1, n_labels, cells): probabilities."""
    kept: str
    """Output tensor (1, any number, 3): 0, label and cell of what suppression kept."""

    def decoder(
        self,
        spec: InputSpec,  # noqa: ARG002 - boxes are in its pixels already
        *,
        n_labels: int,
        thresholds: Thresholds,
    ) -> "SuppressedDecoder":
        """Return the function for a network with this input."""
        return SuppressedDecoder(self, n_labels, thresholds)


class SuppressedDecoder:
    """Reads what was kept, best first."""

    def __init__(self, head: SuppressedHead, n_labels: int, thresholds: Thresholds) -> None:
        self._n_labels = n_labels
        self._thresholds = thresholds
        self.outputs: tuple[str, ...] = (head.boxes, head.scores, head.kept)

    def check(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """See `Decoder`."""
        boxes, scores, kept = self.outputs
        match shapes.get(boxes):
            case (int(n_cells), 4) if n_cells > 0:
                wanted = {scores: (self._n_labels, n_cells), kept: _ANY}
            case None:
                wanted = {boxes: _ANY}
            case shape:
                raise Unfit(f"output {boxes!r} has the shape {shape}, not (cells, 4)")
        require_shapes(wanted, shapes)

    def __call__(self, outputs: Sequence[NDArray[np.float32]]) -> Detections:
        """See `Decoder`."""
        all_boxes, all_scores, kept = outputs
        places = kept.astype(np.intp)
        labels, cells = places[:, 1], places[:, 2]
        # Clipped, as a broken network may point anywhere.
        scores = all_scores.reshape(-1).take(labels * len(all_boxes) + cells, mode="clip")
        boxes = all_boxes.take(cells, axis=0, mode="clip")
        is_real = (scores > self._thresholds.score_floor) & np.isfinite(boxes).all(axis=1)
        if not is_real.all():
            boxes, scores, labels = boxes[is_real], scores[is_real], labels[is_real]
        best = np.argsort(-scores, kind="stable")[: self._thresholds.max_detections]
        return Detections(boxes[best], scores[best], labels[best].astype(np.int32))
