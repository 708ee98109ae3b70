"""What comes into zones: each track counts once in a zone, however often it goes out and in."""

from datetime import datetime, timedelta
from typing import Final, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from processing.rules.sight import Sight

Entered: TypeAlias = dict[UUID, NDArray[np.int32]]
"""For each zone that something came into, the labels of those tracks."""

_FORGET: Final = timedelta(seconds=60)
"""Far longer than the tracker remembers anything that it does not see."""


class Entering:
    """Which tracks have been in which zones of a camera. `look` wants every frame, in order."""

    def __init__(self) -> None:
        self._been: dict[UUID, set[int]] = {}
        self._seen: set[int] = set()
        """Tracks since `_swept_at`."""
        self._swept_at: datetime | None = None

    def look(self, sight: Sight) -> Entered:
        """Return what is in a zone for the first time."""
        if not sight.zones:
            return {}
        entered: Entered = {}
        for zone_id in sight.zones:
            here = sight.are_in(zone_id)
            if not here.any():
                continue
            been = self._been.setdefault(zone_id, set())
            tracks = sight.tracks[here].tolist()
            is_new = np.array([track not in been for track in tracks], np.bool_)
            if is_new.any():
                been.update(tracks)
                entered[zone_id] = sight.labels[here][is_new]
        self._forget(sight)
        return entered

    def _forget(self, sight: Sight) -> None:
        self._seen.update(sight.tracks.tolist())
        if self._swept_at is None:
            self._swept_at = sight.at
        elif sight.at - self._swept_at >= _FORGET:
            self._been = {zone: been & self._seen for zone, been in self._been.items()}
            self._seen, self._swept_at = set(), sight.at
