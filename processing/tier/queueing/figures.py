"""What a tier counts: plain numbers, to be read on the event loop."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Reason: TypeAlias = Literal["hopeless", "full", "memory", "stopping", "loading", "stuck"]
"""Why a picture was refused: it could not be done in time; more urgent ones, or those of tenants
with fewer, filled the line; pictures held take too much memory; the tier is being stopped; the
version is being loaded; its judge no longer answers."""


@dataclass(slots=True)
class VersionFigures:
    """Of one version, since it was loaded."""

    n_offered: int = 0
    """The sum of all that follow that are pictures, but for those not yet through."""
    n_answered: int = 0
    n_late: int = 0
    """Taken in, but nothing came of it within the budget."""
    n_failed: int = 0
    """The judge failed on them."""
    n_bad: int = 0
    """Their headers were sound, but they could not be decoded."""
    n_cancelled: int = 0
    """Their askers went away."""
    refused: Counter[Reason] = field(default_factory=Counter)
    n_decoded: int = 0
    n_judged: int = 0
    """Above `n_answered` by what was judged in vain."""
    batches: Counter[int] = field(default_factory=Counter)
    """How many there were, by pictures in them."""
    waited_s: float = 0.0
    """Of those answered, as are the next two."""
    decode_s: float = 0.0
    infer_s: float = 0.0


@dataclass(slots=True)
class ModelFigures:
    """Of one model, since it was first served."""

    n_compared: int = 0
    """Pictures that a shadow version judged as well."""
    n_disagreed: int = 0
    """Of those, how many it judged otherwise."""
    n_not_compared: int = 0
    """Copies that there was no room for, or that came to nothing."""

    @property
    def disagreement(self) -> float | None:
        """Return the share that a shadow judged otherwise; None if it judged none."""
        return self.n_disagreed / self.n_compared if self.n_compared else None


@dataclass(slots=True)
class TierFigures:
    """Of what never came to a version."""

    n_unknown: int = 0
    """Asked for models or versions that are not served."""
    n_bad: int = 0
    """Pictures whose headers said enough."""
    refused: Counter[Reason] = field(default_factory=Counter)
