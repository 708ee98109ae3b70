"""The units that H.264 and HEVC streams are made of, and the parameter sets among them.

A stream has them after start codes (Annex B: RTSP, MPEG-TS) or after their lengths (MP4, with the
parameter sets in a record of their own: ISO/IEC 14496-15, 5.3.3 and 8.3.3). Here all become
Annex B with the parameter sets inside: such a stretch of video explains itself.
"""

from collections.abc import Iterator
from typing import Final

_START: Final = b"\0\0\0\1"
_SHORT_START: Final = b"\0\0\1"
_H264_SETS: Final = frozenset({7, 8, 13})
"""Sequence and picture parameter sets, and their extension (ITU-T H.264, table 7-1)."""
_H264_SLICES: Final = range(1, 6)
_HEVC_SETS: Final = frozenset({32, 33, 34})
"""Video, sequence and picture parameter sets (ITU-T H.265, table 7-1)."""
_HEVC_SLICES: Final = range(32)
_AVCC_HEAD: Final = 5
_HVCC_HEAD: Final = 22

CODECS: Final = frozenset({"h264", "hevc"})


class BadUnits(ValueError):
    """These bytes are not what they are said to be."""


def length_size(codec: str, extradata: bytes) -> int:
    """Return how many bytes the length before each unit has; 0 if there are start codes."""
    if codec not in CODECS or not extradata.startswith(b"\1"):
        return 0
    position = 4 if codec == "h264" else 21
    if len(extradata) <= position:
        raise BadUnits(f"{len(extradata)} bytes are no parameters of {codec}")
    return (extradata[position] & 3) + 1


def parameter_sets(codec: str, extradata: bytes) -> bytes:
    """Return the parameter sets of a stream's extradata, in Annex B; empty if it has none."""
    if codec not in CODECS:
        return b""
    if not extradata.startswith(b"\1"):
        return sets_within(codec, extradata)
    units = _avcc_units(extradata) if codec == "h264" else _hvcc_units(extradata)
    return b"".join(_START + unit for unit in units if _is_set(codec, unit))


def sets_within(codec: str, data: bytes) -> bytes:
    """Return the parameter sets before the first slice of an Annex B access unit; or nothing."""
    found = []
    for unit in _units(data):
        if _kind(codec, unit) in (_H264_SLICES if codec == "h264" else _HEVC_SLICES):
            break
        if _is_set(codec, unit):
            found.append(_START + unit)
    return b"".join(found)


def to_annex_b(data: bytes, *, length_size: int) -> bytes:
    """Return units that have lengths before them with start codes instead."""
    parts, position = [], 0
    while position + length_size < len(data):
        length = int.from_bytes(data[position : position + length_size])
        position += length_size
        if position + length > len(data):
            raise BadUnits("a unit is longer than its packet")
        parts += [_START, data[position : position + length]]
        position += length
    return b"".join(parts)


def to_lengths(codec: str, data: bytes) -> bytes:
    """Return the units of an Annex B access unit with lengths before them, as in an MP4.

    Left out are parameter sets, which an MP4 has in a record of their own, and delimiters.
    """
    parts: list[bytes] = []
    left_out = _H264_SETS | {9} if codec == "h264" else _HEVC_SETS | {35}
    for unit in _units(data):
        if _kind(codec, unit) not in left_out:
            parts += [len(unit).to_bytes(4), unit]
    return b"".join(parts)


def _units(data: bytes) -> Iterator[bytes]:
    position = data.find(_SHORT_START)
    while position >= 0:
        begins = position + len(_SHORT_START)
        position = data.find(_SHORT_START, begins)
        unit = data[begins : position if position >= 0 else None]
        if position >= 0:
            unit = unit.rstrip(b"\0")  # the longer start code's zero, and padding
        if unit:
            yield unit


def _is_set(codec: str, unit: bytes) -> bool:
    return _kind(codec, unit) in (_H264_SETS if codec == "h264" else _HEVC_SETS)


def _kind(codec: str, unit: bytes) -> int:
    return unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63


def _avcc_units(extradata: bytes) -> Iterator[bytes]:
    position = _AVCC_HEAD
    for mask in (31, 255):  # sequence parameter sets, then those of pictures
        for _ in range(_byte(extradata, position) & mask):
            unit = _sized(extradata, position + 1)
            yield unit
            position += 2 + len(unit)
        position += 1


def _hvcc_units(extradata: bytes) -> Iterator[bytes]:
    position = _HVCC_HEAD + 1
    for _ in range(_byte(extradata, _HVCC_HEAD)):
        n_units = int.from_bytes(extradata[position + 1 : position + 3])
        position += 3
        for _ in range(n_units):
            unit = _sized(extradata, position)
            yield unit
            position += 2 + len(unit)


def _sized(data: bytes, position: int) -> bytes:
    length = int.from_bytes(data[position : position + 2])
    unit = data[position + 2 : position + 2 + length]
    if not length or len(unit) < length:
        raise BadUnits("the parameters of the stream are cut short")
    return unit


def _byte(data: bytes, position: int) -> int:
    if position >= len(data):
        raise BadUnits("the parameters of the stream are cut short")
    return data[position]
