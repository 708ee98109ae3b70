"""A video as a camera makes it, encoded before anything is measured."""

import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import av
import numpy as np
from av.video.stream import VideoStream

from benchmarks.live_path.spec import FPS
from edge_agent.clock import utc_now
from edge_agent.live_video import LiveVideoTap

if TYPE_CHECKING:
    from av.packet import Packet

_WIDTH, _HEIGHT = 1280, 720
_SECONDS: Final = 4
_KEY_EVERY_S: Final = 2
BITS_PER_S: Final = 2_000_000


class OnPicture(Protocol):
    """Told of every picture that was given to a tap."""

    def __call__(self, camera: int, number: int) -> None: ...


def write_street(path: Path) -> Path:
    """Write 720p H.264 of 2 Mb/s at 15 pictures a second: noise that moves over noise."""
    dice = np.random.default_rng(4)
    ground = dice.integers(60, 120, (_HEIGHT, _WIDTH, 3), np.uint8)
    thing = dice.integers(120, 255, (200, 160, 3), np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=int(FPS))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        stream.bit_rate = BITS_PER_S
        stream.codec_context.gop_size = int(_KEY_EVERY_S * FPS)
        rate = {"maxrate": str(BITS_PER_S), "bufsize": str(BITS_PER_S // 2)}
        stream.options = {"preset": "ultrafast", "tune": "zerolatency", "bf": "0", **rate}
        for number in range(int(_SECONDS * FPS)):
            picture = ground.copy()
            left = number * 18 % (_WIDTH - 160)
            picture[300:500, left : left + 160] = thing
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return path


def play(path: Path, taps: Sequence[LiveVideoTap], on_picture: OnPicture) -> Iterator[None]:
    """Give every tap the video's packets, for ever, each tap at moments of its own.

    Yield after each.
    """
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets: list[Packet[VideoStream]] = [each for each in container.demux(stream) if each.size]
        for tap in taps:
            tap.begin(stream)
        begun = time.monotonic()
        for number in itertools.count():
            for camera, tap in enumerate(taps):
                due = begun + (number + camera / len(taps)) / FPS
                if (early_s := due - time.monotonic()) > 0:
                    time.sleep(early_s)
                tap.take(packets[number % len(packets)], utc_now())
                on_picture(camera, number)
                yield
