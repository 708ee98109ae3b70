"""Pictures in the formats that people have, as the one that is kept: JPEG."""

from typing import Final

import cv2
import numpy as np

from processing.media.colour import Bgr
from processing.media.jpeg import MAX_BYTES, BadPicture, read_jpeg_size

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_QUALITY: Final = 95
_NEEDED: Final = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_MAX_CHUNKS: Final = 20_000


def as_jpeg(data: bytes, *, max_pixels: int) -> tuple[bytes, int, int]:
    """Return a JPEG or PNG as a JPEG with its width and height; a JPEG stays as it is.

    Its size is read and judged before anything is decoded. Raise `BadPicture`.
    """
    if not is_png(data):
        width, height = read_jpeg_size(data)
        return data, width, height
    bgr = decode_png(data, max_pixels=max_pixels)
    height, width = bgr.shape[:2]
    return (
        cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, _QUALITY))[1].tobytes(),
        width,
        height,
    )


def is_png(data: bytes) -> bool:
    """Return whether it begins as one."""
    return data.startswith(_PNG)


def read_png_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) from the header; raise `BadPicture`."""
    if len(data) > MAX_BYTES:
        raise BadPicture(f"{len(data)} bytes; at most {MAX_BYTES} are opened")
    width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    if data[12:16] != b"IHDR" or not width * height:
        raise BadPicture("the PNG has no size: its header is damaged")
    return width, height


def decode_png(data: bytes, *, max_pixels: int) -> Bgr:
    """Return the picture as BGR, what shines through left out.

    Its size is read and judged before it is decoded. Raise `BadPicture`.
    """
    width, height = read_png_size(data)
    if width * height > max_pixels:
        raise BadPicture(f"a PNG of {width} x {height}; at most {max_pixels} pixels are opened")
    try:
        bgr = cv2.imdecode(np.frombuffer(_needed_chunks(data), np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise BadPicture(f"the PNG cannot be decoded: {error.err}") from error
    if bgr is None or bgr.shape[:2] != (height, width):
        raise BadPicture("the PNG cannot be decoded")
    return np.asarray(bgr, np.uint8)


def _needed_chunks(data: bytes) -> bytes:
    """Return the PNG without whatever is not its one picture; raise `BadPicture`.

    OpenCV believes a chunk's length, and takes so much memory, before it looks at what there is.
    """
    needed, position = [_PNG], len(_PNG)
    for _ in range(_MAX_CHUNKS):
        kind = data[position + 4 : position + 8]
        end = position + 12 + int.from_bytes(data[position : position + 4])
        if end > len(data):
            raise BadPicture("the PNG is cut short")
        if kind in _NEEDED:
            needed.append(data[position:end])
        if kind == b"IEND":
            return b"".join(needed)
        position = end
    raise BadPicture(f"a PNG of more than {_MAX_CHUNKS} chunks")
