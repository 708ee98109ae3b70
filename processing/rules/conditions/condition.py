"""What a condition is: it looks at every frame and says what is so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from processing.rules.sight import Sight
from processing.rules.words import Facts


@dataclass(frozen=True, slots=True)
class Holding:
    """What a condition that lasts says of a frame."""

    since: datetime | None
    """None: it does not hold, and no break is being borne any more."""
    tracks: tuple[int, ...] = ()
    """What it holds for, things that were missed for a moment among them."""
    is_now: bool = False
    """Whether it holds in this very frame."""


NOT_SO: Final = Holding(None)


class Lasting(Protocol):
    """A condition that begins, goes on and ends. `look` wants every frame, in order of time."""

    def look(self, sight: Sight, wanted: NDArray[np.bool_]) -> Holding:
        """Return what is so; `wanted` (n,) are the things whose class the rule asks for."""
        ...

    def title(self, facts: Facts) -> str:
        """Return a few words for a headline."""
        ...

    def reason(self, facts: Facts) -> str:
        """Return a clause that says what is, or was, so."""
        ...


class Momentary(Protocol):
    """A condition that is over as soon as it is true. `look` wants every frame, in order."""

    def look(self, sight: Sight, wanted: NDArray[np.bool_]) -> Mapping[int, str]:
        """Return the tracks for which it came true in this frame, each with the way it went."""
        ...

    def title(self, facts: Facts) -> str:
        """Return a few words for a headline."""
        ...

    def reason(self, facts: Facts, way: str) -> str:
        """Return a clause that says what happened."""
        ...


def holding(held: Mapping[int, datetime], here: Iterable[int]) -> Holding:
    """Return what is so of things `held` each since its time, of which `here` are seen now."""
    if not held:
        return NOT_SO
    return Holding(
        since=min(held.values()),
        tracks=tuple(held),
        is_now=any(track in held for track in here),
    )
