"""Videos, cameras and streams as pictures, one after another.

FFmpeg opens whatever a file tells it to open, other files and addresses included, unless it is
given a list of what it may: every way in has its own.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Self, TypeAlias
from urllib.parse import urlsplit

import av
from av.container import InputContainer
from av.error import (
    ArgumentError,
    ExitError,
    FFmpegError,
    HTTPForbiddenError,
    HTTPNotFoundError,
    HTTPUnauthorizedError,
    InvalidDataError,
)
from av.format import Flags
from av.video.frame import VideoFrame

from processing.media.hardware import accelerator
from processing.media.packets import PacketTap
from processing.media.planes import planes_of
from processing.vision.frame import Planes

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

MAX_PIXELS: Final = 8192 * 8192
_MAX_BAD_PACKETS: Final = 100
"""In a row: a lossy network damages a few, a wrong codec all."""
_SILENT: Final = "sent nothing for {:g} s"
_FALLBACK_RATE: Final = 25.0
_HELD: Final = frozenset({"h264", "hevc"})

_FILE_FORMATS: Final = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,flv,asf,ogg,"
    "h264,hevc,m4v,mjpeg"
)
"""Containers that hold their own pictures; none that is a list of other files."""
_FILE_OPTIONS: Final = {"protocol_whitelist": "file", "format_whitelist": _FILE_FORMATS}
_RTSP_OPTIONS: Final = {
    "fpsprobesize": "0",  # no frames spent on guessing the rate: the first picture comes at once
    # Enough for the parameters of a stream; more is backlog before the first picture.
    "probesize": "1000000",
    "analyzeduration": "500000",
}
_TRANSPORT_OPTIONS: Final = {
    "tcp": {
        "rtsp_transport": "tcp",
        "protocol_whitelist": "rtsp,rtsps,rtp,srtp,tcp,tls,crypto",
    },
    "udp": {
        "rtsp_transport": "udp",
        "protocol_whitelist": "rtsp,rtsps,rtp,srtp,tcp,udp,tls,crypto",
        "reorder_queue_size": "500",  # packets that overtook another wait for it,
        "max_delay": "300000",  # so long, in microseconds; then it is lost
        "buffer_size": "1048576",  # of the socket: a key frame comes as one burst
    },
}
_HTTP_OPTIONS: Final = {
    "protocol_whitelist": "http,https,httpproxy,tcp,tls,crypto",
    "seekable": "0",  # a camera cannot go back, and may answer one request only
}


class SourceLost(Exception):
    """No more pictures come from here, though the video is not over; the text says why."""


class NotAVideo(SourceLost):
    """The source is there but holds no video that can be decoded: trying again does not help."""


class Unauthorized(SourceLost):
    """It wants another user or password. Cameras lock out whoever tries often."""


class Picture(NamedTuple):
    """One decoded picture."""

    planes: Planes
    at_s: float
    """When to show it, in seconds on the stream's own clock, which starts anywhere."""


@dataclass(frozen=True, slots=True)
class Source:
    """An address and how to open it; made by `video_file`, `stream` and `usb_camera`."""

    url: str
    title: str
    """For people: no password in it."""
    is_live: bool
    """It cannot be over, only lost."""
    options: dict[str, str] = field(default_factory=dict)
    format: str | None = None
    open_timeout_s: float = 10.0
    read_timeout_s: float = 5.0


def video_file(path: Path) -> Source:
    """Return a file as a source."""
    # An absolute path: a name like "concat:x" must not be taken for a protocol.
    return Source(str(path.absolute()), path.name, is_live=False, options=_FILE_OPTIONS)


def stream(url: str, *, transport: Literal["tcp", "udp"] = "tcp") -> Source:
    """Return an RTSP or HTTP stream as a source; raise `SourceLost` for any other address.

    `transport` is RTSP's. Over UDP one lost packet smears a second of video.
    """
    parts = urlsplit(url)
    # Some cameras want user=...&password=... in the path, where a title must not show them.
    path = "/..." if "=" in parts.path else parts.path
    title = f"{parts.scheme}://{parts.hostname or ''}{path}"
    if parts.scheme in {"rtsp", "rtsps"}:
        options = _RTSP_OPTIONS | _TRANSPORT_OPTIONS[transport]
        return Source(url, title, is_live=True, options=options)
    if parts.scheme in {"http", "https"}:
        return Source(url, title, is_live=True, options=_HTTP_OPTIONS)
    raise SourceLost(f"{title} is not an address of a stream: rtsp:// or http:// is")


def usb_camera(index: int) -> Source:
    """Return the camera `/dev/videoN` as a source."""
    device = f"/dev/video{index}"
    return Source(device, device, is_live=True, format="video4linux2")


Stamp: TypeAlias = Callable[[float], datetime]
"""Called for each packet as it arrives, with the second at which its stream shows it; returns when
it was filmed, aware UTC."""


def since_1970(at_s: float) -> datetime:
    """Return the stream's own clock as if it had started in 1970: the `Stamp` of a file."""
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=at_s)


class Decoder:
    """An open source. One thread iterates over its pictures; `close` frees it."""

    def __init__(
        self,
        source: Source,
        *,
        tap: PacketTap | None = None,
        stamp: Stamp = since_1970,
        hardware: str = "",
    ) -> None:
        """Open the source, which may take as long as its timeout. Raise `SourceLost`.

        `tap` is given every packet before it is decoded, with the instant that `stamp` gives it.
        `hardware` names what to decode on if it is there; see `processing.media.hardware`.
        """
        self._source: Final = source
        self._tap = tap
        self._stamp = stamp
        self._container = _open(source, hardware)
        if not self._container.streams.video:
            self._container.close()
            raise NotAVideo(f"{source.title} has no video in it")
        self._stream: VideoStream = self._container.streams.video[0]
        self._stream.thread_count = 1  # cheaper than many, and no pictures wait in a pipeline
        self.fps: Final = float(self._stream.average_rate or 0.0) or None
        """Pictures a second as the source has it; None when it does not say."""
        self.has_clock: Final = Flags.no_timestamps not in Flags(self._container.format.flags)
        """False if FFmpeg makes up when to show pictures, as for MJPEG over HTTP."""
        self.holds_packets: Final = (
            self._container.format.name == "rtsp" and self._stream.codec_context.name in _HELD
        )
        """True if a packet is given only once the next begins to come: RTP does not tell FFmpeg's
        parser where a picture ends. That costs one interval of latency."""
        self.is_on_hardware: Final = self._stream.codec_context.is_hwaccel

    def __iter__(self) -> Iterator[Picture]:
        """Yield pictures as they come; end when the video is over; raise `SourceLost`."""
        n_yielded, at_s = 0, 0.0
        for decoded in self._decoded():
            _refuse_huge(decoded, self._source)
            if decoded.pts is None:
                at_s = at_s + 1.0 / (self.fps or _FALLBACK_RATE) if n_yielded else 0.0
            else:
                at_s = decoded.time
            n_yielded += 1
            yield Picture(planes_of(decoded), at_s)
        self._refuse_end()
        if not n_yielded:
            raise NotAVideo(f"{self._source.title} has no picture that can be decoded")

    def pass_packets(self) -> Iterator[float]:
        """Give the tap its packets and decode nothing; end and raise as iterating does.

        Yield for each the second at which its stream shows it.
        """
        for packet in self._packets():
            if packet.size:
                yield _second_of(packet)
        self._refuse_end()

    def _refuse_end(self) -> None:
        if self._source.is_live:
            raise SourceLost(f"{self._source.title} ended the stream")

    def close(self) -> None:
        """Free the source; not while another thread iterates."""
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _decoded(self) -> Iterator[VideoFrame]:
        """Yield what FFmpeg decodes; leave out damaged packets unless all are damaged."""
        n_bad = 0
        for packet in self._packets():
            try:
                decoded = packet.decode()
            except InvalidDataError as error:
                n_bad += 1
                if n_bad > _MAX_BAD_PACKETS:
                    raise NotAVideo(f"{self._source.title} cannot be decoded") from error
                continue
            except FFmpegError as error:
                raise _lost(self._source, error) from error
            for frame in decoded:
                n_bad = 0
                yield frame

    def _packets(self) -> "Iterator[Packet[VideoStream]]":
        """Yield what is demuxed, and a last empty packet that makes the decoder give all it has.

        A timeout comes as a packet: FFmpeg gives what its parser still held, and would then wait
        for as long again.
        """
        tap = self._tap
        if tap is not None:
            tap.begin(self._stream)
        try:
            asked = time.monotonic()
            for packet in self._container.demux(self._stream):
                if self._source.is_live and time.monotonic() - asked > self._source.read_timeout_s:
                    silence = _SILENT.format(self._source.read_timeout_s)
                    raise SourceLost(f"{self._source.title} {silence}")
                if packet.size:
                    at = self._stamp(_second_of(packet))
                    if tap is not None:
                        tap.take(packet, at)
                yield packet
                asked = time.monotonic()
        except FFmpegError as error:
            raise _lost(self._source, error) from error
        finally:
            if tap is not None:
                tap.end()


def _second_of(packet: "Packet[VideoStream]") -> float:
    """Return when the stream shows a packet; 0 if it does not say."""
    ticks = packet.dts if packet.pts is None else packet.pts
    return float(ticks * packet.time_base) if ticks is not None else 0.0


def _open(source: Source, hardware: str = "") -> InputContainer:
    hwaccel = accelerator(hardware)
    try:
        return av.open(
            source.url,
            "r",
            format=source.format,
            options=source.options,
            timeout=(source.open_timeout_s, source.read_timeout_s),
            hwaccel=hwaccel,
        )
    except FFmpegError as error:
        if hwaccel is not None:  # a chip that is there but cannot be used fails here, too
            return _open(source)
        raise _lost(source, error) from error


def _lost(source: Source, error: FFmpegError) -> SourceLost:
    """Return the exception to raise, in words for the person who set the camera up."""
    match error:
        case InvalidDataError() | ArgumentError() if not source.is_live:
            return NotAVideo(f"{source.title} is not a video")
        case HTTPUnauthorizedError() | HTTPForbiddenError():
            return Unauthorized(f"{source.title} refuses the user name or the password")
        case _:
            return SourceLost(f"{source.title} {_what_happened(source, error)}")


def _what_happened(source: Source, error: FFmpegError) -> str:
    match error:
        case InvalidDataError():
            return "is silent, or sends something that is not a video"
        case ExitError():
            return _SILENT.format(source.read_timeout_s)
        case HTTPNotFoundError():
            return "is not there, but its host is: look at the path"
        case FileNotFoundError():
            return "does not exist"
    return f"{'is out of reach' if source.is_live else 'cannot be read'}: {error.strerror}"


def _refuse_huge(picture: VideoFrame, source: Source) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        message = f"{source.title} has pictures of {picture.width} x {picture.height}: too large"
        raise NotAVideo(message)
