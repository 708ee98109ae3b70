"""H.264 in which a red block moves over black: what is found in it is known, picture by picture."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

SIDE: Final = 320
FPS: Final = 10
STEP: Final = 40
"""A cell of the tiny bundle, 64 pixels wide, in pixels of this video."""
WIDTH, TOP, BOTTOM = 3 * STEP, 2 * STEP, 6 * STEP
_PICTURES_A_STEP: Final = 4


def write_moving_block(path: Path, seconds: int = 20, *, scale: int = 1) -> Path:
    """Write a video with a key picture each second, and return the path.

    Some pictures are sent before those that are shown earlier, as good cameras do.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = SIDE * scale, SIDE * scale, "yuv420p"
        stream.codec_context.gop_size = FPS
        stream.options = {"preset": "ultrafast", "bf": "2", "b-adapt": "0", "crf": "18"}
        for number, bgr in enumerate(_pictures(seconds * FPS)):
            large = np.kron(bgr, np.ones((scale, scale, 1), np.uint8))
            frame = av.VideoFrame.from_ndarray(large, format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _pictures(n: int) -> Iterator[NDArray[np.uint8]]:
    n_places = (SIDE - WIDTH) // STEP + 1
    for number in range(n):
        picture = np.zeros((SIDE, SIDE, 3), np.uint8)
        left = STEP * (number // _PICTURES_A_STEP % n_places)
        picture[TOP:BOTTOM, left : left + WIDTH] = (0, 0, 255)
        yield picture
