"""Somebody has been at the camera: the picture itself is wrong."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processing.rules.conditions.condition import NOT_SO, Holding
from processing.rules.dwell import Dwell
from processing.rules.sight import Sight
from processing.rules.words import Facts, duration
from processing.wire.scene import Tampered

_PICTURE: Final = 0


class TamperedWatch:
    """Whatever it is that is wrong: a hand before the lens may cover it first, then move it."""

    def __init__(self, condition: Tampered, camera_name: str) -> None:
        self._condition = condition
        self._camera_name = camera_name
        self._dwell = Dwell()
        self._word = ""

    def look(self, sight: Sight, wanted: NDArray[np.bool_]) -> Holding:  # noqa: ARG002 - about the camera
        is_now = sight.tampered is not None
        self._dwell.look([_PICTURE] if is_now else [], sight.at)
        self._word = sight.tampered or self._word
        since = self._dwell.held(self._condition.after_s).get(_PICTURE)
        return Holding(since, is_now=is_now) if since else NOT_SO

    def title(self, facts: Facts) -> str:  # noqa: ARG002 - about the camera
        return f"{self._camera_name}: {self._word}"

    def reason(self, facts: Facts) -> str:
        verb = "was" if facts.is_over else "has been"
        lasted = duration(facts.seconds)
        return f"the picture of {self._camera_name} {verb} wrong for {lasted}: {self._word}"
