"""What a process counts of the deliveries that it has committed: a few clock readings each."""

from collections import deque
from datetime import datetime
from typing import Final

from processing.wire.messages import (
    LANES,
    ClipMissing,
    EventBatch,
    Gap,
    ResultBatch,
    SampleBatch,
    ThumbnailBatch,
)
from webapp.common.metrics import ACK_SECONDS, ENTRIES_STORED, LANE_LAG_SECONDS, RESULTS_STORED
from webapp.gateway.ingest.delivery import LaneMessage, lane_of

_ACK: Final = {lane: ACK_SECONDS.labels(lane) for lane in LANES}
_LAG: Final = {lane: LANE_LAG_SECONDS.labels(lane) for lane in LANES}
_ENTRIES: Final = {lane: ENTRIES_STORED.labels(lane) for lane in LANES}

RECENT_ACKS: Final = deque[float](maxlen=256)
"""Seconds from arrival to commit of the deliveries committed last, for the health page."""


def count_stored(
    message: LaneMessage | ClipMissing, n_results: int, *, received_at: datetime, at: datetime
) -> None:
    """Count a delivery that is committed `at`."""
    if isinstance(message, Gap | ClipMissing):
        return
    lane = lane_of(message)
    waited_s = max((at - received_at).total_seconds(), 0.0)
    _ACK[lane].observe(waited_s)
    RECENT_ACKS.append(waited_s)
    _ENTRIES[lane].inc(len(message.entries))
    RESULTS_STORED.inc(n_results)
    if message.entries:
        _LAG[lane].observe(max((at - _newest_of(message)).total_seconds(), 0.0))


def _newest_of(message: ResultBatch | EventBatch | SampleBatch | ThumbnailBatch) -> datetime:
    """Return when what the last entry is about happened; agents append in order of time."""
    if isinstance(message, EventBatch):
        return message.entries[-1].occurred_at
    return message.entries[-1].captured_at
