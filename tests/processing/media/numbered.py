"""Videos whose pictures carry their own number, for people and for tests to read."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from processing.media.clip_packets import EncodedPicture, PacketCopier
from processing.media.decode import Decoder, video_file

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
WIDTH, HEIGHT, FPS = 320, 240, 10
_N_BITS = 10
_SIDE = 32


def numbered(number: int, *, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Return a picture (BGR) with the number in digits, and as a row of black and white squares."""
    picture = np.full((height, width, 3), 90, np.uint8)
    picture[:, :: max(2, width // 20)] = (60, 140, 200)
    cv2.putText(picture, str(number), (20, height - 40), cv2.FONT_HERSHEY_SIMPLEX, 3, (0,) * 3, 6)
    for bit in range(_N_BITS):
        left = bit * _SIDE
        picture[:_SIDE, left : left + _SIDE] = 255 if number >> bit & 1 else 0
    return picture


def number_in(luma: NDArray[np.uint8]) -> int:
    """Return the number that the squares say."""
    middle = _SIDE // 2
    return sum(1 << bit for bit in range(_N_BITS) if luma[middle, bit * _SIDE + middle] > 128)


def write_numbered(
    path: Path,
    n: int,
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    container_format: str | None = None,
) -> Path:
    """Write n pictures at `FPS`, a key picture every second, and return the path."""
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=FPS)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = FPS
        if codec == "libx264":
            plain = {"preset": "ultrafast", "bf": "0", "sc_threshold": "0", "crf": "20"}
            stream.options = {**plain, **(options or {})}
        if codec == "libx265":
            stream.options = {"x265-params": "log-level=none"}
        for number in range(n):
            bgr = numbered(number, width=size[0], height=size[1])
            frame = av.VideoFrame.from_ndarray(bgr, format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def play(
    path: Path, tap: PacketCopier, *, at: datetime = NOON, stamps: bool = True, n: int = 10**6
) -> None:
    """Show a tap the first `n` packets as a camera's connection would, each when it is due.

    Without `stamps` no packet says when it is to be shown.
    """
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        tap.begin(stream)
        packets = [packet for packet in container.demux(stream) if packet.size]
        for number, packet in enumerate(packets[:n]):
            if not stamps:
                packet.pts = packet.dts = None
            tap.take(packet, at + timedelta(seconds=number / FPS))
        tap.end()


def pictures_of(path: Path, *, at: datetime = NOON, stamps: bool = True) -> list[EncodedPicture]:
    """Return what a tap copies of a file."""
    copied: list[EncodedPicture] = []
    play(path, PacketCopier(copied.append), at=at, stamps=stamps)
    return copied


def shown_by(path: Path) -> list[tuple[float, int]]:
    """Return (seconds, number) of every picture of a file."""
    with Decoder(video_file(path)) as decoder:
        return [(picture.at_s, number_in(picture.planes.y)) for picture in decoder]


def boxes_of(path: Path) -> list[bytes]:
    """Return the names of an MP4's outermost boxes, in their order."""
    data, position, names = path.read_bytes(), 0, []
    while position < len(data):
        names.append(data[position + 4 : position + 8])
        position += int.from_bytes(data[position : position + 4])
    return names


def times(shown: Iterable[tuple[float, int]]) -> list[float]:
    """Return the seconds only."""
    return [at_s for at_s, _ in shown]
