"""Encoded pictures as plain data: what is left of a packet when its connection is closed."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import structlog

from processing.media.nal_units import (
    CODECS,
    BadUnits,
    length_size,
    parameter_sets,
    sets_within,
    to_annex_b,
)

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

_MOST_BACK_S: Final = 1.0
"""Pictures that are sent before those they follow go back less than this."""
_MOST_LEAP_S: Final = 10.0

log = structlog.get_logger()


class ClipFailed(Exception):
    """No file can be made of these pictures; the text says why."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How pictures are encoded; those of equal codings can stand in one file."""

    codec: str
    """As FFmpeg names it: h264, hevc, mjpeg."""
    width: int = 0
    height: int = 0
    """As the connection has it; 0 where the parameter sets say it, and nobody else is asked."""
    extradata: bytes = b""
    """Of codecs that are not made of NAL units."""
    sets: bytes = b""
    """The parameter sets of H.264 and HEVC, in Annex B."""


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """One picture as it was sent, in the order of sending. H.264 and HEVC are in Annex B."""

    coding: Coding
    data: bytes
    is_key: bool
    """It can be decoded without the ones before; it has its parameter sets in it."""
    at: datetime
    """When it came, aware UTC."""
    time_s: float
    """When to show it, on a clock that goes evenly within a stretch."""
    stretch: int
    """Counts connections, and leaps of the stream's clock."""
    decoded_s: float | None = None
    """When to decode it, on the same clock; None where the camera does not say."""


class PacketCopier:
    """A `PacketTap` that gives copies of a camera's packets away. Used by the capture's thread."""

    def __init__(self, put: Callable[[EncodedPicture], None]) -> None:
        """`put` is given every picture; it must not take long."""
        self._put: Final = put
        self._coding: Coding | None = None
        self._length_size = 0
        self._time_base = Fraction(1, 90_000)
        self._stretch = 0
        self._last: EncodedPicture | None = None

    def begin(self, stream: "VideoStream") -> None:
        """See `PacketTap`."""
        context = stream.codec_context
        codec, extradata = context.codec.canonical_name, bytes(context.extradata or b"")
        self._time_base = stream.time_base or Fraction(1, 90_000)
        self._stretch += 1
        self._last = None
        try:
            self._length_size = length_size(codec, extradata)
            if codec in CODECS:
                self._coding = Coding(codec, sets=parameter_sets(codec, extradata))
            else:
                self._coding = Coding(codec, context.width, context.height, extradata)
        except BadUnits as error:
            self._coding = None
            log.warning("clip.stream_refused", reason=str(error))

    def take(self, packet: "Packet[VideoStream]", at: datetime) -> None:
        """See `PacketTap`. A damaged packet is left out, and all up to the next key picture."""
        if self._coding is None or not packet.size:
            return
        try:
            self._take(packet, at, self._coding)
        except BadUnits:
            self._last = None

    def end(self) -> None:
        """See `PacketTap`."""
        self._coding = None
        self._last = None

    def pause(self) -> None:
        """Some packets will not be given; what comes afterwards begins with a key picture."""
        self._last = None

    def _take(self, packet: "Packet[VideoStream]", at: datetime, coding: Coding) -> None:
        if self._last is None and not packet.is_keyframe:
            return  # nothing can be made of it without the ones before
        data = bytes(packet)
        if self._length_size:
            data = to_annex_b(data, length_size=self._length_size)
        if packet.is_keyframe and coding.codec in CODECS:
            coding, data = self._with_sets(coding, data)
        time_s = self._time_of(packet, at)
        self._notice_leap(time_s, at)
        decoded_s = None if packet.dts is None else float(packet.dts * self._time_base)
        picture = EncodedPicture(
            coding, data, packet.is_keyframe, at, time_s, self._stretch, decoded_s
        )
        self._last = picture
        self._put(picture)

    def _with_sets(self, coding: Coding, data: bytes) -> tuple[Coding, bytes]:
        """Return a key picture with parameter sets before it, and the coding they stand for."""
        sets = sets_within(coding.codec, data)
        if not sets:
            if not coding.sets:
                raise BadUnits("a stream without parameters")
            return coding, coding.sets + data
        if sets != coding.sets:
            coding = self._coding = replace(coding, sets=sets)
        return coding, data

    def _time_of(self, packet: "Packet[VideoStream]", at: datetime) -> float:
        stamp = packet.pts if packet.pts is not None else packet.dts
        return at.timestamp() if stamp is None else float(stamp * self._time_base)

    def _notice_leap(self, time_s: float, at: datetime) -> None:
        last = self._last
        if last is None:
            return
        step_s = time_s - last.time_s
        waited_s = (at - last.at).total_seconds()
        if step_s < -_MOST_BACK_S or step_s > max(0.0, waited_s) + _MOST_LEAP_S:
            self._stretch += 1
