"""Something lies still in a zone with nobody near it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.rules.conditions.condition import Holding, holding
from processing.rules.dwell import LAPSE, Dwell
from processing.rules.polygon import Points
from processing.rules.sight import Sight
from processing.rules.words import Facts, duration, heading, subject
from processing.wire.scene import LeftBehind, Zone

PERSON: Final = "person"
"""As data sets name them; a network that knows none sees nobody near anything."""
_MOVED_OF_WIDTH: Final = 0.5
"""A thing lies still while its foot stays within this share of its own width."""
_LAPSE: Final = timedelta(seconds=5)
"""Longer than for other rules: whoever walks by hides the thing, and is near it, for a while."""
_FORGET: Final = timedelta(seconds=10)


@dataclass(slots=True)
class _Spot:
    """Where a thing lies."""

    x: float
    y: float
    label: int
    lay_at: datetime
    """When it was last seen to lie there."""
    reach: float
    """So far its foot may stray; pixels."""

    def holds(self, x: float, y: float) -> bool:
        return abs(x - self.x) <= self.reach and abs(y - self.y) <= self.reach


class LeftBehindWatch:
    """A thing is alone when no person's box comes within its own width.

    It counts from when it lies still and is alone, so also from when its owner leaves. Persons are
    not left behind, unless the rule asks for them by name: one who lies still with nobody near.
    """

    def __init__(self, condition: LeftBehind, zone: Zone) -> None:
        self._condition = condition
        self._zone = zone
        self._dwell = Dwell(_LAPSE)
        self._spots: dict[int, _Spot] = {}

    def look(self, sight: Sight, wanted: NDArray[np.bool_]) -> Holding:
        here = np.flatnonzero(wanted & sight.are_in(self._zone.zone_id))
        still = self._are_still(sight, here)
        lonely = here[still & ~self._are_near_somebody(sight, here)]
        alone = sight.tracks[lonely].tolist()
        self._dwell.look(alone, sight.at)
        return holding(self._dwell.held(self._condition.after_s), alone)

    def title(self, facts: Facts) -> str:
        return f"{heading(facts.who)} left behind in {self._zone.name}"

    def reason(self, facts: Facts) -> str:
        verb = facts.verb(has="has lain", was="lay")
        return (
            f"{subject(facts.who)} {verb} still in {self._zone.name} "
            f"for {duration(facts.seconds)} with nobody near"
        )

    def _are_still(self, sight: Sight, here: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return which of those (k,) lie where they lay before."""
        tracks = sight.tracks[here].tolist()
        widths = sight.boxes[here, 2] - sight.boxes[here, 0]
        spots = [
            _Spot(x, y, label, sight.at, max(_MOVED_OF_WIDTH * width, 2.0))
            for (x, y), label, width in zip(
                sight.feet[here].tolist(),
                sight.labels[here].tolist(),
                widths.tolist(),
                strict=True,
            )
        ]
        seen = set(tracks)
        lie = [self._lies(track, spot, seen) for track, spot in zip(tracks, spots, strict=True)]
        for track in [t for t, spot in self._spots.items() if sight.at - spot.lay_at > _FORGET]:
            del self._spots[track]
        return np.array(lie, np.bool_)

    def _lies(self, track: int, now: _Spot, seen: set[int]) -> bool:
        """Return whether a thing lies in its spot; else, or when it is new, give it one."""
        spot = self._spots.get(track) or self._adopt(track, now, seen)
        if spot is not None and spot.holds(now.x, now.y):
            spot.lay_at = now.lay_at
            return True
        if spot is None or now.lay_at - spot.lay_at >= LAPSE:
            self._spots[track] = now
            self._dwell.forget(track)
        return False

    def _adopt(self, track: int, now: _Spot, seen: set[int]) -> _Spot | None:
        """Return the spot of a thing that lay here and got a new number: it was hidden a while."""
        for old, spot in self._spots.items():
            if old not in seen and spot.label == now.label and spot.holds(now.x, now.y):
                self._spots[track] = self._spots.pop(old)
                self._dwell.rename(old, track)
                return spot
        return None

    def _are_near_somebody(self, sight: Sight, here: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return which of those (k,) have a person within their own width."""
        is_person = np.array([name == PERSON for name in sight.names], np.bool_)
        people = np.flatnonzero(is_person[sight.labels])
        gaps = _gaps(sight.boxes[here], sight.boxes[people])
        gaps[here[:, None] == people[None, :]] = np.inf  # nobody is near themselves
        widths = sight.boxes[here, 2] - sight.boxes[here, 0]
        result: NDArray[np.bool_] = (gaps <= widths[:, None]).any(axis=1)
        return result


def _gaps(first: Points, second: Points) -> NDArray[np.float64]:
    """Return the distances (n, m) between the outlines of boxes (n, 4), (m, 4); 0 if they touch."""
    between = np.maximum(
        first[:, None, :2] - second[None, :, 2:], second[None, :, :2] - first[:, None, 2:]
    )
    sides = np.maximum(between, 0.0)
    return np.hypot(sides[..., 0], sides[..., 1])
