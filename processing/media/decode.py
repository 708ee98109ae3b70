"""Videos, cameras and streams as pictures, one after another.

FFmpeg opens whatever a file tells it to open, other files and addresses included, unless it is
given a list of what it may: every way in has its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from urllib.parse import urlsplit

import av
from av.container import InputContainer
from av.error import ArgumentError, ExitError, FFmpegError, InvalidDataError
from av.video.frame import VideoFrame

from processing.media.planes import planes_of
from processing.vision.frame import Planes

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

MAX_PIXELS: Final = 8192 * 8192
_MAX_BAD_PACKETS: Final = 100
"""In a row: a lossy network damages a few, a wrong codec all."""
_FALLBACK_RATE: Final = 25.0

_FILE_FORMATS: Final = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,flv,asf,ogg,"
    "h264,hevc,m4v,mjpeg"
)
"""Containers that hold their own pictures; none that is a list of other files."""
_FILE_OPTIONS: Final = {"protocol_whitelist": "file", "format_whitelist": _FILE_FORMATS}
_RTSP_OPTIONS: Final = {
    "protocol_whitelist": "rtsp,rtsps,rtp,srtp,tcp,udp,tls,crypto",
    "rtsp_transport": "tcp",  # over UDP, one lost packet smears a second of video
    "fpsprobesize": "0",  # no frames spent on guessing the rate: the first picture comes at once
    # Enough for the parameters of a stream; more is backlog before the first picture.
    "probesize": "1000000",
    "analyzeduration": "500000",
}
_HTTP_OPTIONS: Final = {
    "protocol_whitelist": "http,https,httpproxy,tcp,tls,crypto",
    "seekable": "0",  # a camera cannot go back, and may answer one request only
}


class SourceLost(Exception):
    """No more pictures come from here, though the video is not over; the text says why."""


class NotAVideo(SourceLost):
    """The source is there but holds no video that can be decoded: trying again does not help."""


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


def stream(url: str) -> Source:
    """Return an RTSP or HTTP stream as a source; raise `SourceLost` for any other address."""
    parts = urlsplit(url)
    title = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
    if parts.scheme in {"rtsp", "rtsps"}:
        return Source(url, title, is_live=True, options=_RTSP_OPTIONS)
    if parts.scheme in {"http", "https"}:
        return Source(url, title, is_live=True, options=_HTTP_OPTIONS)
    raise SourceLost(f"{title} is not an address of a stream: rtsp:// or http:// is")


def usb_camera(index: int) -> Source:
    """Return the camera `/dev/videoN` as a source."""
    device = f"/dev/video{index}"
    return Source(device, device, is_live=True, format="video4linux2")


class Decoder:
    """An open source. One thread iterates over its pictures; `close` frees it."""

    def __init__(self, source: Source) -> None:
        """Open the source, which may take as long as its timeout. Raise `SourceLost`."""
        self._source: Final = source
        self._container = _open(source)
        if not self._container.streams.video:
            self._container.close()
            raise NotAVideo(f"{source.title} has no video in it")
        self._stream: VideoStream = self._container.streams.video[0]
        self._stream.thread_count = 1  # cheaper than many, and no pictures wait in a pipeline
        self.fps: Final = float(self._stream.average_rate or 0.0) or None
        """Pictures a second as the source has it; None when it does not say."""

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
        if self._source.is_live:
            raise SourceLost(f"{self._source.title} ended the stream")
        if not n_yielded:
            raise NotAVideo(f"{self._source.title} has no picture that can be decoded")

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
        try:
            yield from self._container.demux(self._stream)
        except FFmpegError as error:
            raise _lost(self._source, error) from error


def _open(source: Source) -> InputContainer:
    try:
        return av.open(
            source.url,
            "r",
            format=source.format,
            options=source.options,
            timeout=(source.open_timeout_s, source.read_timeout_s),
        )
    except FFmpegError as error:
        raise _lost(source, error) from error


def _lost(source: Source, error: FFmpegError) -> SourceLost:
    """Return the exception to raise, in words for the person who set the camera up."""
    match error:
        case InvalidDataError() | ArgumentError() if not source.is_live:
            return NotAVideo(f"{source.title} is not a video")
        case InvalidDataError():
            return SourceLost(f"{source.title} is silent, or sends something that is not a video")
        case ExitError():
            return SourceLost(f"{source.title} sent nothing for {source.read_timeout_s:g} s")
        case FileNotFoundError():
            return SourceLost(f"{source.title} does not exist")
        case _ if source.is_live:
            return SourceLost(f"{source.title} is out of reach: {error.strerror}")
        case _:
            return SourceLost(f"{source.title} cannot be read: {error.strerror}")


def _refuse_huge(picture: VideoFrame, source: Source) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        message = f"{source.title} has pictures of {picture.width} x {picture.height}: too large"
        raise NotAVideo(message)
