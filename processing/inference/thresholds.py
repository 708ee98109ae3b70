"""Which of a network's candidates become detections."""

from typing import Annotated

from msgspec import Meta, Struct

from processing.wire.limits import MAX_DETECTIONS

Share = Annotated[float, Meta(ge=0, le=1)]


class Thresholds(Struct, frozen=True, kw_only=True):
    """The floor under all cameras; each camera has a higher threshold of its own."""

    score_floor: Share = 0.05
    """Candidates at or below it are dropped unseen."""
    nms_iou: Share = 0.6
    """Of two boxes of one class that overlap more than this, the better one stays."""
    max_detections: Annotated[int, Meta(ge=1, le=MAX_DETECTIONS)] = MAX_DETECTIONS
    """The best ones; the wire carries no more."""
