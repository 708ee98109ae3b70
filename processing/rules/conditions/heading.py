"""Something in a zone moves in a direction."""

from collections import deque
from datetime import datetime, timedelta
from math import atan2, degrees, hypot
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processing.rules.conditions.condition import Holding, holding
from processing.rules.dwell import Dwell
from processing.rules.sight import Sight
from processing.rules.words import Facts, duration, heading, subject, way
from processing.wire.scene import Heading, Zone

_WINDOW: Final = timedelta(seconds=1)
"""A direction is judged over this time: from one frame to the next, boxes jitter."""
_SHORTEST: Final = timedelta(seconds=0.4)
_LEAST_OF_WIDTH: Final = 0.25
"""What has come less far than this share of its own width has no direction."""


class _Step(NamedTuple):
    at: datetime
    x: float
    y: float


class HeadingWatch:
    """Judges where feet have come in the last second, in the picture, not on the ground."""

    def __init__(self, condition: Heading, zone: Zone) -> None:
        self._condition = condition
        self._zone = zone
        self._dwell = Dwell()
        self._trails: dict[int, deque[_Step]] = {}

    def look(self, sight: Sight, wanted: NDArray[np.bool_]) -> Holding:
        here = wanted & sight.are_in(self._zone.zone_id)
        widths = (sight.boxes[:, 2] - sight.boxes[:, 0])[here].tolist()
        going = []
        for track, (x, y), width in zip(
            sight.tracks[here].tolist(), sight.feet[here].tolist(), widths, strict=True
        ):
            step = _Step(sight.at, x, y)
            if self._goes_there(self._origin(track, step), step, least=_LEAST_OF_WIDTH * width):
                going.append(track)
        self._forget(sight.at)
        self._dwell.look(going, sight.at)
        return holding(self._dwell.held(self._condition.after_s), going)

    def title(self, facts: Facts) -> str:
        return f"{heading(facts.who)} heading {self._way} in {self._zone.name}"

    def reason(self, facts: Facts) -> str:
        verb = facts.verb(has="has been", was="was")
        return (
            f"{subject(facts.who)} {verb} heading {self._way} in {self._zone.name} "
            f"({self._condition.degrees:.0f}°, give or take {self._condition.within_degrees:.0f}°) "
            f"for {duration(facts.seconds)}"
        )

    @property
    def _way(self) -> str:
        return way(self._condition.degrees)

    def _origin(self, track: int, step: _Step) -> _Step:
        """Add a step to a trail; return the newest that is a window old, or else the oldest."""
        trail = self._trails.setdefault(track, deque())
        trail.append(step)
        while len(trail) > 1 and step.at - trail[1].at >= _WINDOW:
            trail.popleft()
        return trail[0]

    def _goes_there(self, origin: _Step, step: _Step, *, least: float) -> bool:
        x, y = step.x - origin.x, step.y - origin.y
        if step.at - origin.at < _SHORTEST or hypot(x, y) < max(least, 1.0):
            return False
        off = degrees(atan2(y, x)) - self._condition.degrees
        return abs((off + 180.0) % 360.0 - 180.0) <= self._condition.within_degrees

    def _forget(self, at: datetime) -> None:
        """Forget what has left the zone: one that comes back begins a new trail."""
        old = [track for track, trail in self._trails.items() if at - trail[-1].at > 2 * _WINDOW]
        for track in old:
            del self._trails[track]
