"""NanoDet: the distance of each side of a box, as a distribution over bins."""

from typing import ClassVar

from processing.inference.heads.distances import DistanceHead, Level

__all__ = ["Level", "NanodetHead"]


class NanodetHead(DistanceHead, frozen=True, kw_only=True, tag_field="kind", tag="nanodet"):
    """See `DistanceHead`."""

    centre_shift: ClassVar[float] = -0.5
