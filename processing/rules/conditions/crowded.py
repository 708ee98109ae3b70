"""At least so many are in a zone at once."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.rules.conditions.condition import NOT_SO, Holding
from processing.rules.dwell import Dwell
from processing.rules.sight import Sight
from processing.rules.words import Facts, duration, heading, subject
from processing.wire.scene import Crowded, Zone

_CROWD: Final = 0


class CrowdedWatch:
    """The crowd has one stay, whoever comes and goes; its number may fall short for a moment."""

    def __init__(self, condition: Crowded, zone: Zone) -> None:
        self._condition = condition
        self._zone = zone
        self._crowd = Dwell()
        self._members = Dwell()

    def look(self, sight: Sight, wanted: NDArray[np.bool_]) -> Holding:
        here = sight.tracks[wanted & sight.are_in(self._zone.zone_id)].tolist()
        is_crowd = len(here) >= self._condition.at_least
        self._crowd.look([_CROWD] if is_crowd else [], sight.at)
        self._members.look(here, sight.at)
        since = self._crowd.held(self._condition.after_s).get(_CROWD)
        if since is None:
            return NOT_SO
        return Holding(since, tuple(self._members.held(0.0)), is_now=is_crowd)

    def title(self, facts: Facts) -> str:
        return f"{heading(facts.who)} in {self._zone.name}"

    def reason(self, facts: Facts) -> str:
        verb = facts.verb(has="has been", was="was")
        return (
            f"{subject(facts.who)} {verb} in {self._zone.name}, where {self._condition.at_least} "
            f"or more are a crowd, for {duration(facts.seconds)}"
        )
