"""Which version of a model judges a picture: by weight, and always the same for the same asker."""

import hashlib
import math
from collections.abc import Sequence
from typing import Final

from processing.tier.contract import ServedVersion

_BITS: Final = 64


def choose_version(
    model: str, sticky: str, versions: Sequence[ServedVersion]
) -> ServedVersion | None:
    """Return the one of `versions` that looks, None if none of them has any weight.

    Each draws a number from (model, sticky, digest), the better the heavier it is, and the best
    takes it (weighted rendezvous hashing): when a weight changes, or a version comes or goes,
    nothing moves between two others.
    """
    routed = [version for version in versions if version.weight > 0.0 and not version.is_shadow]
    return max(routed, key=lambda version: _draw(model, sticky, version), default=None)


def _draw(model: str, sticky: str, version: ServedVersion) -> float:
    text = f"{model}\0{sticky}\0{version.digest}"
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[: _BITS // 8])
    share = (number + 0.5) / 2**_BITS
    # Of exponential draws, the least is of a version with a chance in proportion to its weight.
    return version.weight / -math.log(share) if share < 1.0 else math.inf
