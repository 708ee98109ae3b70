"""How values are spread, in some hundred bytes that can be merged: DDSketch.

After Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch with
relative-error guarantees" (VLDB 2019): bins whose borders grow by a constant factor. Sums are whole
numbers, so whatever order values and sketches are merged in, the bytes are the same.
"""

from collections import Counter
from collections.abc import Iterable
from math import ceil, log
from typing import Final

import msgspec

RELATIVE_ERROR: Final = 0.02
"""A quantile is off by at most this share of itself."""
GREATEST: Final = 1e7
"""Values are 0 to this; no feature of a picture is greater."""
_A_UNIT: Final = 1_000_000
"""Values are counted in millionths."""
_FINEST: Final = 1_000
"""In millionths: what is smaller shares a bin."""
_GAMMA: Final = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA: Final = log(_GAMMA)


class BadSketch(ValueError):
    """These bytes are no sketch."""


class Sketch(msgspec.Struct, frozen=True, array_like=True):
    """Of at least one value."""

    n: int
    total: int
    least: int
    most: int
    bins: dict[int, int]
    """How many values by the number of their bin."""

    @classmethod
    def of(cls, values: Iterable[float]) -> "Sketch":
        """Return the sketch of one or more values from 0 to `GREATEST`."""
        units = [round(value * _A_UNIT) for value in values]
        return cls(len(units), sum(units), min(units), max(units), dict(Counter(map(_bin, units))))

    @classmethod
    def decode(cls, packed: bytes) -> "Sketch":
        """Return what `encode` packed; raise `BadSketch`."""
        try:
            return _DECODER.decode(packed)
        except msgspec.MsgspecError as error:
            raise BadSketch(str(error)) from error

    def encode(self) -> bytes:
        """Return its bytes: of equal sketches, equal bytes."""
        bins = dict(sorted(self.bins.items()))
        return _ENCODER.encode(msgspec.structs.replace(self, bins=bins))

    @property
    def mean(self) -> float:
        return self.total / self.n / _A_UNIT

    @property
    def minimum(self) -> float:
        return self.least / _A_UNIT

    @property
    def maximum(self) -> float:
        return self.most / _A_UNIT

    def quantile(self, share: float) -> float:
        """Return the value that this share (0..1) of all is at most, within `RELATIVE_ERROR`."""
        rank = max(1, ceil(share * self.n))
        for number in sorted(self.bins):
            rank -= self.bins[number]
            if rank <= 0:
                return min(max(_middle(number), self.least), self.most) / _A_UNIT
        return self.maximum


def merged(sketches: Iterable[Sketch]) -> Sketch:
    """Return the sketch of all that one or more sketches are of."""
    every = list(sketches)
    if len(every) == 1:
        return every[0]
    bins: dict[int, int] = {}
    for sketch in every:
        for number, n in sketch.bins.items():
            bins[number] = bins.get(number, 0) + n
    return Sketch(
        sum(sketch.n for sketch in every),
        sum(sketch.total for sketch in every),
        min(sketch.least for sketch in every),
        max(sketch.most for sketch in every),
        bins,
    )


def _bin(units: int) -> int:
    return 0 if units <= _FINEST else ceil(log(units / _FINEST) / _LOG_GAMMA)


def _middle(number: int) -> float:
    """Return what a bin's values are taken for, in millionths."""
    if number == 0:
        return _FINEST / 2
    return float(_FINEST * 2.0 * _GAMMA**number / (_GAMMA + 1.0))


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Sketch)
