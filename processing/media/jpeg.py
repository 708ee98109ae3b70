"""Pictures as JPEG, and back, with limits on what strangers send."""

from typing import Final, Literal, TypeAlias

import cv2
import numpy as np

from processing.media.colour import Bgr, bgr_from_planes
from processing.vision.frame import Planes

MAX_PIXELS: Final = 50_000_000
MAX_BYTES: Final = 32 * 1024 * 1024
MAX_SCANS: Final = 100
"""Of a progressive JPEG, which goes over all its pixels in each; cameras and programs make ten."""
_MAX_MARKERS: Final = 1000
"""Before the size: a colour profile takes up to 255."""
_SEGMENTS_WITHOUT_LENGTH: Final = frozenset((0x01, *range(0xD0, 0xD8)))
_FRAME_HEADERS: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

Reduction: TypeAlias = Literal[1, 2, 4, 8]
"""How many times smaller than it is a JPEG may be decoded, for less work."""
_FLAGS: Final[dict[Reduction, int]] = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


class BadPicture(ValueError):
    """These bytes are no JPEG that we open; the text says why."""


def encode_jpeg(planes: Planes, *, max_width: int | None = None, quality: int = 80) -> bytes:
    """Return the picture as a JPEG of `jpeg_size`, in JPEG's full range of colours."""
    width, height = jpeg_size(planes.width, planes.height, max_width=max_width)
    bgr = bgr_from_planes(planes, width=width, height=height)
    is_encoded, encoded = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, quality))
    if not is_encoded:
        raise BadPicture(f"a picture of {width} x {height} cannot be a JPEG")
    return encoded.tobytes()


def jpeg_size(width: int, height: int, *, max_width: int | None = None) -> tuple[int, int]:
    """Return the (width, height) of the JPEG of a picture: never larger, both even, same shape."""
    ratio = 1.0 if max_width is None else min(1.0, max_width / width)
    return _even(width * ratio), _even(height * ratio)


def decode_jpeg(data: bytes, *, max_pixels: int = MAX_PIXELS, reduction: Reduction = 1) -> Bgr:
    """Return the picture as BGR, as stored (a rotation in its EXIF is not applied).

    With a reduction, its sides are so many times smaller, rounded up. Its size is read and judged
    before it is decoded. Raise `BadPicture`.
    """
    width, height = read_jpeg_size(data)
    if width * height > max_pixels:
        raise BadPicture(f"a picture of {width} x {height}; at most {max_pixels} pixels are opened")
    if not data.rstrip(b"\0").endswith(b"\xff\xd9"):
        raise BadPicture("the JPEG is cut short")
    if data.count(b"\xff\xda") > MAX_SCANS:
        raise BadPicture(f"a JPEG of more than {MAX_SCANS} scans")
    flags = _FLAGS[reduction] | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise BadPicture(f"the JPEG cannot be decoded: {error.err}") from error
    if bgr is None or bgr.shape[:2] != (-(-height // reduction), -(-width // reduction)):
        raise BadPicture("the JPEG cannot be decoded")
    return np.asarray(bgr, np.uint8)


def read_jpeg_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) from the header; raise `BadPicture`."""
    if len(data) > MAX_BYTES:
        raise BadPicture(f"{len(data)} bytes; at most {MAX_BYTES} are opened")
    if not data.startswith(b"\xff\xd8"):
        raise BadPicture("not a JPEG")
    position = 2
    for _ in range(_MAX_MARKERS):
        if position + 9 > len(data) or data[position] != 0xFF:  # noqa: PLR2004  # every marker
            break
        marker = data[position + 1]
        if marker in _FRAME_HEADERS:
            height = int.from_bytes(data[position + 5 : position + 7])
            width = int.from_bytes(data[position + 7 : position + 9])
            return _positive(width), _positive(height)
        if marker == 0xFF:  # noqa: PLR2004  # padding
            position += 1
        elif marker in _SEGMENTS_WITHOUT_LENGTH:
            position += 2
        else:
            position += 2 + int.from_bytes(data[position + 2 : position + 4])
    raise BadPicture("the JPEG has no size: its header is damaged")


def _even(length: float) -> int:
    return max(2, int(length) // 2 * 2)


def _positive(length: int) -> int:
    if not length:
        raise BadPicture("the JPEG has no size: its header is damaged")
    return length
