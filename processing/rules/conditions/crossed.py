"""Something crosses a line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.rules.sight import Sight
from processing.rules.words import Facts, heading, subject
from processing.wire.scene import Crossed, Line

_CLEAR_OF_HEIGHT: Final = 0.1
"""A thing is clear of the line at this share of its own height: boxes jitter with their size."""
_CLEAR_PIXELS: Final = 2.0
_FORGET: Final = timedelta(seconds=10)
"""Longer than the tracker remembers anything that it does not see."""


@dataclass(slots=True)
class _Path:
    """Where a thing has come from; pixels along the line, and across it (over 0: on its right)."""

    along: float
    across: float
    is_home_right: bool
    """The side on which it was last clear of the line, or was first seen."""
    seen_at: datetime
    net: int = 0
    """Times the path has gone through the line since then: to the right less to the left."""

    def go(self, along: float, across: float, *, length: float) -> None:
        """Go straight on to there."""
        if (across >= 0.0) != (self.across >= 0.0):
            part = self.across / (self.across - across)
            if 0.0 <= self.along + part * (along - self.along) <= length:
                self.net += 1 if across >= 0.0 else -1
        self.along, self.across = along, across

    def settle(self) -> str | None:
        """Make this side home, now that it is clear of the line; return the way if it crossed."""
        is_right = self.across >= 0.0
        has_crossed = is_right != self.is_home_right and self.net != 0
        self.is_home_right, self.net = is_right, 0
        if not has_crossed:
            return None
        return "forward" if is_right else "backward"


class CrossedWatch:
    """Follows the feet. A crossing counts once they are clear of the line on its other side.

    Between two frames feet go straight. What goes round an end of the line has not crossed it;
    what dithers on it crosses at most once.
    """

    def __init__(self, condition: Crossed, line: Line) -> None:
        self._condition = condition
        self._line = line
        self._paths: dict[int, _Path] = {}
        self._swept_at: datetime | None = None

    def look(self, sight: Sight, wanted: NDArray[np.bool_]) -> Mapping[int, str]:
        self._forget(sight.at)
        if not wanted.any():
            return {}
        start = np.array(self._line.start) * sight.size
        line = np.array(self._line.end) * sight.size - start
        length = float(np.hypot(line[0], line[1]))
        if not length > 0.0:
            return {}
        unit = line / length
        away = sight.feet[wanted] - start
        across = unit[0] * away[:, 1] - unit[1] * away[:, 0]
        heights = (sight.boxes[:, 3] - sight.boxes[:, 1])[wanted]
        is_clear = np.abs(across) >= np.maximum(_CLEAR_OF_HEIGHT * heights, _CLEAR_PIXELS)
        crossed = {}
        for track, one_along, one_across, one_is_clear in zip(
            sight.tracks[wanted].tolist(),
            (away @ unit).tolist(),
            across.tolist(),
            is_clear.tolist(),
            strict=True,
        ):
            path = self._path(track, one_along, one_across, sight.at)
            path.go(one_along, one_across, length=length)
            way = path.settle() if one_is_clear else None
            if way is not None and self._condition.direction in {"either", way}:
                crossed[track] = way
        return crossed

    def title(self, facts: Facts) -> str:
        return f"{heading(facts.who)} crossed {self._line.name}"

    def reason(self, facts: Facts, way: str) -> str:
        sides = "its left to its right" if way == "forward" else "its right to its left"
        return f"{subject(facts.who)} crossed {self._line.name} {way}, from {sides}"

    def _path(self, track: int, along: float, across: float, at: datetime) -> _Path:
        path = self._paths.get(track)
        if path is None:
            path = self._paths[track] = _Path(along, across, across >= 0.0, at)
        path.seen_at = at
        return path

    def _forget(self, at: datetime) -> None:
        if self._swept_at is not None and abs(at - self._swept_at) < _FORGET:
            return
        self._swept_at = at
        for track in [t for t, path in self._paths.items() if at - path.seen_at > _FORGET]:
            del self._paths[track]
