"""What rules look at: the tracked things of one frame."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from processing.rules.peaks import Peaks
from processing.rules.polygon import Points, inside
from processing.vision.detections import Detections

_RIM: Final = 1e-4
"""Feet on the rim of the picture count as just inside it: zones are drawn up to the rim."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """n tracked things of one frame."""

    at: datetime
    tracks: NDArray[np.int64]
    """(n,), none 0."""
    labels: NDArray[np.int32]
    """(n,) indices into the bundle's labels."""
    scores: NDArray[np.float32]
    """(n,) 0..1."""
    peaks: NDArray[np.float32]
    """(n,) the best score that each has had since it became a track, 0..1."""
    is_sure: NDArray[np.bool_]
    """(n,) which have reached the camera's threshold, now or before."""
    boxes: Points
    """(n, 4) x0, y0, x1, y1 in pixels."""
    places: NDArray[np.intp]
    """(n,) where each is in the frame's detections."""
    size: NDArray[np.float64]
    """Width and height of the picture in pixels."""
    names: tuple[str, ...]
    """Of the bundle's labels."""
    zones: Mapping[UUID, Points]
    """Corners (k, 2) in shares of the picture."""
    tampered: str | None
    """What is wrong with the picture, if anything."""
    feet: Points
    """(n, 2) pixels; where things stand: the middle of the lower edge of their boxes."""
    _in_zones: dict[UUID, NDArray[np.bool_]] = field(default_factory=dict)

    @classmethod
    def of(  # noqa: PLR0913 as many as a sight has parts
        cls,
        tracked: Detections,
        *,
        size: tuple[int, int],
        at: datetime,
        names: tuple[str, ...],
        zones: Mapping[UUID, Points],
        tampered: str | None,
        peaks: Peaks,
        confident: float,
    ) -> "Sight":
        """Return what rules see of a frame of this size.

        What has no track, no label of the bundle, or no place, they do not see. What has scored
        `confident` or more once is sure.
        """
        # Most of what a network finds is doubtful, and no track's.
        places = tracked.tracks.nonzero()[0]
        seen = tracked[places]
        is_known = (seen.labels >= 0) & (seen.labels < len(names))
        is_known &= np.isfinite(seen.xyxy).all(axis=1)
        if not is_known.all():
            places, seen = places[is_known], seen[is_known]
        best = peaks.look(seen.tracks, seen.scores, at)
        boxes = seen.xyxy.astype(np.float64)
        feet = boxes[:, 2:].copy()
        feet[:, 0] += boxes[:, 0]
        feet[:, 0] *= 0.5
        return cls(
            at=at,
            tracks=seen.tracks,
            labels=seen.labels,
            scores=seen.scores,
            peaks=best,
            is_sure=best >= np.float32(confident),
            boxes=boxes,
            feet=feet,
            places=places,
            size=np.maximum(np.array(size, np.float64), 1.0),
            names=names,
            zones=zones,
            tampered=tampered,
        )

    def __len__(self) -> int:
        return len(self.tracks)

    def are_in(self, zone_id: UUID) -> NDArray[np.bool_]:
        """Return which things (n,) are in a zone; none if there is no such zone."""
        found = self._in_zones.get(zone_id)
        if found is None:
            corners = self.zones.get(zone_id)
            if corners is None:
                found = np.zeros(len(self), np.bool_)
            else:
                found = inside(np.clip(self.feet / self.size, _RIM, 1.0 - _RIM), corners)
            self._in_zones[zone_id] = found
        return found
