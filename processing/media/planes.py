"""What the decoder gives, as planes: without a copy where that is safe, converted where it is not.

A decoded picture is counted by reference: as long as an array looks at it, the decoder takes
another buffer for the next one. It may still look at the old one to predict from, so the arrays
are read-only.
"""

from typing import Final

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from processing.vision.frame import Plane, Planes

_I420: Final = "yuv420p"


def planes_of(picture: VideoFrame) -> Planes:
    """Return I420 in limited range; only other formats and full range cost a conversion."""
    if picture.format.name != _I420 or picture.color_range == ColorRange.JPEG:
        is_full = picture.format.name.startswith("yuvj") or picture.color_range == ColorRange.JPEG
        picture = picture.reformat(
            format=_I420,
            src_color_range=ColorRange.JPEG if is_full else None,
            dst_color_range=ColorRange.MPEG,
        )
    chroma = (picture.height + 1) // 2, (picture.width + 1) // 2
    return Planes(
        y=_plane(picture, 0, (picture.height, picture.width)),
        u=_plane(picture, 1, chroma),
        v=_plane(picture, 2, chroma),
    )


def _plane(picture: VideoFrame, index: int, shape: tuple[int, int]) -> Plane:
    plane = picture.planes[index]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    view: Plane = rows[: shape[0], : shape[1]]
    view.flags.writeable = False
    return view
