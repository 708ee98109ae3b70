"""PicoDet: NanoDet's distributions, from the very middle of a cell, on one level more."""

from typing import ClassVar

from processing.inference.heads.distances import DistanceHead


class PicodetHead(DistanceHead, frozen=True, kw_only=True, tag_field="kind", tag="picodet"):
    """See `DistanceHead`."""

    centre_shift: ClassVar[float] = 0.0
