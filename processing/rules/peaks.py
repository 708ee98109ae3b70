"""How sure the network ever was of each track: a doubtful sight of a sure thing is no doubt."""

from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

_FORGET: Final = timedelta(seconds=60)
"""Far longer than the tracker remembers anything that it does not see."""


class Peaks:
    """The best scores of one camera's tracks. Call `look` once a frame, in order of time."""

    def __init__(self) -> None:
        self._best: dict[int, tuple[float, datetime]] = {}
        self._swept_at: datetime | None = None

    def look(
        self, tracks: NDArray[np.int64], scores: NDArray[np.float32], at: datetime
    ) -> NDArray[np.float32]:
        """Return the best score (n,) that each of these tracks has had, this frame's included."""
        peaks = []
        for track, score in zip(tracks.tolist(), scores.tolist(), strict=True):
            before, _ = self._best.get(track, (0.0, at))
            peak = max(before, score)
            self._best[track] = peak, at
            peaks.append(peak)
        self._sweep(at)
        return np.array(peaks, np.float32)

    def _sweep(self, at: datetime) -> None:
        if self._swept_at is not None and at - self._swept_at < _FORGET:
            return
        self._swept_at = at
        self._best = {
            track: (peak, seen_at)
            for track, (peak, seen_at) in self._best.items()
            if at - seen_at < _FORGET
        }
