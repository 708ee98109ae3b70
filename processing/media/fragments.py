"""Encoded pictures, as they come, as fragments of one endless MP4: ISO/IEC 14496-12, 8.8.

A fragment of one picture is complete at once; a muxer would hold it until the next one comes. So
only what comes before the first fragment is FFmpeg's work.
"""

import io
import struct
from typing import Final, NamedTuple

import av
from av.error import FFmpegError
from av.video.stream import VideoStream

from processing.media.clip_clock import TICKS
from processing.media.clip_packets import ClipFailed, Coding, EncodedPicture
from processing.media.nal_units import to_lengths
from processing.media.remux import add_stream

_FIRST_STEP: Final = TICKS // 15
_LEAST_STEP: Final = TICKS // 120
_MOST_STEP: Final = TICKS
"""Between two pictures, as far as the next one is guessed from them."""
_LASTS: Final = 2
"""Steps that a picture is said to last: a player stops where nothing is said to be, and takes what
comes late by more than that for damage."""
_LONGEST_BREAK_S: Final = 10.0
_MOST_LATER: Final = 60 * TICKS
"""That a picture is shown after it is decoded; its field has 32 bits."""
_KEY_FLAGS: Final = 0x02000000
_DELTA_FLAGS: Final = 0x01010000


class Track(NamedTuple):
    """What a player must know before the fragments of one coding."""

    init: bytes
    codec: str
    """As in RFC 6381."""
    width: int
    height: int


class Fragment(NamedTuple):
    """One picture, ready to be played."""

    track: Track
    data: bytes
    at_s: float
    """When it is shown, on a clock that starts with the first fragment and never goes back."""
    is_key: bool


class Fragmenter:
    """For one thread. Begin with a key picture, and after each pause with another one."""

    def __init__(self) -> None:
        self._coding: Coding | None = None
        self._track: Track | None = None
        self._stretch: int | None = None
        self._zero = 0
        """What our clock shows when that of the stretch shows 0, in ticks."""
        self._last: EncodedPicture | None = None
        self._decoded = 0
        self._step = _FIRST_STEP
        self._number = 0

    def add(self, picture: EncodedPicture) -> Fragment:
        """Return the picture as a fragment; raise `ClipFailed` if browsers cannot play it."""
        if self._track is None or picture.coding != self._coding:
            self._track, self._coding = _describe(picture), picture.coding
        shown = round(picture.time_s * TICKS)
        decoded = shown if picture.decoded_s is None else round(picture.decoded_s * TICKS)
        decoded = min(shown, decoded)
        if picture.stretch != self._stretch:
            self._begin_stretch(picture, decoded)
        at, due = self._zero + shown, self._zero + decoded
        if self._last is not None:
            if due <= self._decoded and picture.decoded_s is None:
                raise ClipFailed("its pictures come in another order than they are shown in")
            due = max(due, self._decoded + 1)
            self._step = min(max(due - self._decoded, _LEAST_STEP), _MOST_STEP)
        at = max(at, due)
        if at - due > _MOST_LATER:
            raise ClipFailed("its pictures are shown long after they are decoded")
        self._last, self._decoded = picture, due
        self._number += 1
        data = to_lengths(picture.coding.codec, picture.data)
        head = _moof(
            self._number, due, at - due, self._step * _LASTS, len(data), is_key=picture.is_key
        )
        return Fragment(self._track, head + data, at / TICKS, picture.is_key)

    def _begin_stretch(self, picture: EncodedPicture, decoded: int) -> None:
        """Let a new connection go on after the one before, by as much as passed in between."""
        begins = 0
        if self._last is not None:
            passed_s = (picture.at - self._last.at).total_seconds()
            passed = round(min(max(0.0, passed_s), _LONGEST_BREAK_S) * TICKS)
            begins = self._decoded + max(self._step, passed)
        self._stretch, self._zero = picture.stretch, begins - decoded


def _describe(first: EncodedPicture) -> Track:
    """Return what FFmpeg writes before the first fragment of a key picture's coding."""
    file = io.BytesIO()
    try:
        with av.open(
            file, "w", format="mp4", options={"movflags": "empty_moov+default_base_moof"}
        ) as container:
            stream = add_stream(container, first)
            container.start_encoding()
            init = file.getvalue()
            assert isinstance(stream, VideoStream)
            width, height = stream.width, stream.height
    except FFmpegError as error:
        raise ClipFailed(f"its pictures cannot be described: {error}") from error
    return Track(init, _codec_string(init), width, height)


def _codec_string(init: bytes) -> str:
    """Return the codec of an init segment as browsers are asked for it (RFC 6381)."""
    if (at := init.find(b"avcC")) >= 0:
        return "avc1." + init[at + 5 : at + 8].hex()
    at = init.find(b"hvcC") + 4
    if at < 4 or len(init) < at + 13:  # noqa: PLR2004 - the end of hvcC's level
        raise ClipFailed("browsers do not know its codec")
    # ISO/IEC 14496-15, annex E.3: profile, its compatibilities in reverse, tier and level, and
    # the bytes of constraints that are not 0.
    profile = init[at + 1]
    compatible = int(f"{int.from_bytes(init[at + 2 : at + 6]):032b}"[::-1], 2)
    tier = "H" if profile & 0x20 else "L"
    constraints = [f"{byte:X}" for byte in init[at + 6 : at + 12].rstrip(b"\0")]
    parts = [f"hvc1.{profile & 0x1F}", f"{compatible:X}", f"{tier}{init[at + 12]}", *constraints]
    return ".".join(parts)


def _moof(
    number: int, decoded: int, shown_later: int, lasts: int, n_bytes: int, *, is_key: bool
) -> bytes:
    """Return the boxes before one picture's bytes; times in ticks."""
    mfhd = _box(b"mfhd", struct.pack(">II", 0, number))
    tfhd = _box(b"tfhd", struct.pack(">II", 0x020000, 1))  # data begins at the moof
    tfdt = _box(b"tfdt", struct.pack(">IQ", 0x01000000, decoded))
    # What is said of the one sample: duration, size, flags, composition time.
    n_before = 8 + len(mfhd) + 8 + len(tfhd) + len(tfdt) + _TRUN_BYTES + 8
    flags = _KEY_FLAGS if is_key else _DELTA_FLAGS
    trun = _box(
        b"trun",
        struct.pack(">IIiIIII", 0x000F01, 1, n_before, lasts, n_bytes, flags, shown_later),
    )
    moof = _box(b"moof", mfhd + _box(b"traf", tfhd + tfdt + trun))
    return moof + struct.pack(">I4s", 8 + n_bytes, b"mdat")


_TRUN_BYTES: Final = 36


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content
