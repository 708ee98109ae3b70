"""A small MP4 that browsers play, made for a test."""

import io
from typing import Final

import av
import numpy as np

WIDTH, HEIGHT = 320, 180
FPS: Final = 10


def make_mp4(seconds: float) -> bytes:
    """Return H.264 in an MP4, its index at the end: a light bar that moves over a dark ground."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        n_frames = round(seconds * FPS)
        for number in range(n_frames):
            picture = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
            left = number * (WIDTH - 40) // n_frames
            picture[:, left : left + 40] = 220
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return file.getvalue()
