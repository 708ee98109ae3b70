"""Something is in a zone, and stays."""

import numpy as np
from numpy.typing import NDArray

from processing.rules.conditions.condition import Holding, holding
from processing.rules.dwell import Dwell
from processing.rules.sight import Sight
from processing.rules.words import Facts, duration, heading, subject
from processing.wire.scene import InZone, Zone


class InZoneWatch:
    """Counts every thing's own stay: five that pass by are not one that lingers."""

    def __init__(self, condition: InZone, zone: Zone) -> None:
        self._condition = condition
        self._zone = zone
        self._dwell = Dwell()

    def look(self, sight: Sight, wanted: NDArray[np.bool_]) -> Holding:
        here = sight.tracks[wanted & sight.are_in(self._zone.zone_id)].tolist()
        self._dwell.look(here, sight.at)
        return holding(self._dwell.held(self._condition.after_s), here)

    def title(self, facts: Facts) -> str:
        return f"{heading(facts.who)} in {self._zone.name}"

    def reason(self, facts: Facts) -> str:
        verb = facts.verb(has="has been", was="was")
        return f"{subject(facts.who)} {verb} in {self._zone.name} for {duration(facts.seconds)}"
