"""A clip as an MP4 that browsers play, made of pictures as the camera sent them."""

import contextlib
import io
from contextlib import suppress
from datetime import UTC
from fractions import Fraction
from pathlib import Path
from typing import Final, NamedTuple

import av
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from processing.media.clip_clock import TICKS, ClipClock, Placed
from processing.media.clip_packets import ClipFailed, EncodedPicture
from processing.media.nal_units import CODECS

_TAGS: Final = {"h264": "avc1", "hevc": "hvc1"}
"""What browsers look for; hvc1 because Safari plays no other HEVC."""
_TIME_BASE: Final = Fraction(1, TICKS)


class Written(NamedTuple):
    """What is in a finished file."""

    seconds: float
    """From the first picture to the end of the last."""
    n_bytes: int


def plays_as_it_is(codec: str) -> bool:
    """Return whether browsers play this codec in an MP4, so that it need not be encoded again."""
    return codec in CODECS


class Mp4Writer:
    """Writes one file; the first picture is a key picture, and all have its coding.

    The file is complete after `finish` only. Methods raise `ClipFailed`.
    """

    def __init__(self, path: Path, first: EncodedPicture) -> None:
        """Make the file; an existing one is overwritten."""
        self._path: Final = path
        self._clock = ClipClock(first)
        self.n_bytes = 0
        """Of the pictures so far."""
        try:
            self._container = self._open(first)
        except (FFmpegError, OSError) as error:
            raise ClipFailed(f"{path.name} cannot be begun: {error}") from error

    @property
    def seconds(self) -> float:
        """Return how long the clip is so far."""
        return self._clock.end / TICKS

    def write(self, picture: EncodedPicture) -> None:
        """Add the next picture in the order of sending."""
        self.n_bytes += len(picture.data)
        self._mux(self._clock.add(picture))

    def finish(self) -> Written:
        """Complete the file, with its index in front of its pictures."""
        self._mux(self._clock.finish())
        try:
            self._container.close()
            return Written(self.seconds, self._path.stat().st_size)
        except (FFmpegError, OSError) as error:
            raise ClipFailed(f"{self._path.name} cannot be finished: {error}") from error

    def abandon(self) -> None:
        """Remove the file."""
        with suppress(FFmpegError, OSError):  # it goes anyway
            self._container.close()
        with contextlib.suppress(OSError):  # a disk that is read-only by now
            self._path.unlink(missing_ok=True)

    def _open(self, first: EncodedPicture) -> OutputContainer:
        container = av.open(
            str(self._path), "w", format="mp4", container_options={"movflags": "+faststart"}
        )
        container.metadata["creation_time"] = first.at.astimezone(UTC).isoformat()
        self._stream = add_stream(container, first)
        return container

    def _mux(self, placed: list[Placed]) -> None:
        try:
            for picture in placed:
                self._container.mux_one(_packet(picture, self._stream))
        except (FFmpegError, OSError) as error:
            raise ClipFailed(f"{self._path.name} cannot be written: {error}") from error


def add_stream(container: OutputContainer, first: EncodedPicture) -> Stream:
    """Add a stream described by its first picture: FFmpeg reads size and parameters from it."""
    codec = first.coding.codec
    if not plays_as_it_is(codec):
        raise ClipFailed(f"browsers play no {codec}")
    with av.open(io.BytesIO(first.data), "r", format=codec) as described:
        if not described.streams.video or not described.streams.video[0].width:
            raise ClipFailed("the first picture of the clip cannot be decoded")
        # With the decoder's name, not an encoder's: there need not be an encoder.
        stream = container.add_stream_from_template(described.streams.video[0], opaque=True)
    stream.codec_context.codec_tag = _TAGS[codec]
    stream.time_base = _TIME_BASE
    return stream


def _packet(placed: Placed, stream: Stream) -> "Packet[Stream]":
    packet = Packet(placed.picture.data)
    packet.stream = stream
    packet.time_base = _TIME_BASE
    packet.pts, packet.dts = placed.shown, placed.decoded
    packet.duration = placed.lasts
    packet.is_keyframe = placed.picture.is_key
    return packet
