"""Small videos, made in the test."""

from collections.abc import Iterable
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray


def pictures(n: int, *, width: int = 64, height: int = 48) -> list[NDArray[np.uint8]]:
    """Return n grey pictures, each a little lighter than the one before."""
    return [np.full((height, width, 3), 20 + 4 * number, np.uint8) for number in range(n)]


def write_video(
    path: Path,
    shown: Iterable[NDArray[np.uint8]],
    *,
    codec: str = "mpeg4",
    pixels: str = "yuv420p",
    fps: int = 10,
) -> Path:
    """Write a video and return its path."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps)
        assert isinstance(stream, VideoStream)
        for number, bgr in enumerate(shown):
            if not number:
                stream.height, stream.width = bgr.shape[:2]
                stream.pix_fmt = pixels
            frame = av.VideoFrame.from_ndarray(bgr, format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
