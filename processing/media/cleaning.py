"""Making pictures from elsewhere harmless: a JPEG that decodes, with nothing else in it."""

from typing import Final, NamedTuple

import cv2
import numpy as np

from processing.media.colour import Bgr
from processing.media.jpeg import BadPicture, decode_jpeg

MAX_PIXELS: Final = 16_000_000
"""Of a sample; a decoded one takes three bytes each."""
THUMBNAIL_WIDTH: Final = 320
_QUALITY: Final = 92
_THUMBNAIL_QUALITY: Final = 80

_START, _END, _SCAN = 0xD8, 0xD9, 0xDA
_PLAIN_SEGMENTS: Final = frozenset({0xE0, 0xDB, 0xC0, 0xC4, 0xDD, _SCAN})
"""JFIF, tables, a baseline frame, the scan: what an encoder writes that has nothing to tell."""
_JFIF: Final = b"JFIF\0"


class CleanPicture(NamedTuple):
    """What is kept of a picture."""

    jpeg: bytes
    thumbnail: bytes


def clean_picture(data: bytes, *, width: int, height: int) -> CleanPicture:
    """Decode the picture to be sure of it; re-encode it unless nothing but a picture is in it.

    Metadata (where and with what it was taken), comments and trailing bytes are gone from the
    result. A plain JPEG stays as it is, byte for byte: encoding again would cost quality.
    Raise `BadPicture`, also when the picture is not of the size it is said to be.
    """
    bgr = decode_jpeg(data, max_pixels=MAX_PIXELS)
    if bgr.shape[:2] != (height, width):
        size = f"{bgr.shape[1]} x {bgr.shape[0]}"
        raise BadPicture(f"a picture of {size} that was said to be {width} x {height}")
    return CleanPicture(
        jpeg=data if is_plain_jpeg(data) else _encode(bgr, _QUALITY),
        thumbnail=_encode(_smaller(bgr), _THUMBNAIL_QUALITY),
    )


def is_plain_jpeg(data: bytes) -> bool:
    """Return whether a JPEG has no metadata, no comment, and ends where its picture does."""
    if data[:2] != bytes((0xFF, _START)):
        return False
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:  # noqa: PLR2004 - every marker
        marker = data[position + 1]
        length = int.from_bytes(data[position + 2 : position + 4])
        is_foreign = marker == 0xE0 and not data.startswith(_JFIF, position + 4)  # noqa: PLR2004
        if marker not in _PLAIN_SEGMENTS or is_foreign:
            return False
        position += 2 + length
        if marker == _SCAN:
            return _ends_with_scan(data, position)
    return False


def _ends_with_scan(data: bytes, position: int) -> bool:
    """Return whether the first marker after the scan's data is the end, and the last bytes."""
    while True:
        position = data.find(b"\xff", position)
        if position < 0 or position + 1 >= len(data):
            return False
        marker = data[position + 1]
        is_scan_data = marker == 0 or 0xD0 <= marker <= 0xD7  # noqa: PLR2004 - stuffing, restarts
        if not is_scan_data:
            return marker == _END and position + 2 == len(data)
        position += 2


def _smaller(bgr: Bgr) -> Bgr:
    height, width = bgr.shape[:2]
    if width <= THUMBNAIL_WIDTH:
        return bgr
    size = (THUMBNAIL_WIDTH, max(1, round(height * THUMBNAIL_WIDTH / width)))
    return np.asarray(cv2.resize(bgr, size, interpolation=cv2.INTER_AREA), np.uint8)


def _encode(bgr: Bgr, quality: int) -> bytes:
    is_encoded, encoded = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))
    if not is_encoded:
        raise BadPicture("the picture cannot be a JPEG")
    return encoded.tobytes()
