"""Pictures as they come, decoded to what engines take; never on the event loop.

A picture that is many times larger than the network's input is decoded to a half, quarter or eighth
of its sides: JPEG can do that while it decodes, for a fourth of the work at 1080p, and no network
saw the difference.
"""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

import cv2
import numpy as np

from processing.inference.input_spec import InputSpec
from processing.inference.placement import place
from processing.media.colour import Bgr, frame_from_bgr
from processing.media.jpeg import BadPicture, Reduction, decode_jpeg, read_jpeg_size
from processing.media.stills import decode_png, is_png, read_png_size
from processing.tier.contract import BadInquiry, Pixels
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.vision.geometry import clip

MAX_PIXELS: Final = 40_000_000
MAX_LONG_PIXELS: Final = 16_000_000
"""Of what cannot be decoded to less than it is: PNG."""
MAX_PIXELS_A_BYTE: Final = 400
"""Of a JPEG; one all grey, as small as can be, has 170. What is missing takes as long to decode."""
_NO_INSTANT: Final = datetime.fromtimestamp(0, UTC)
_SPARE: Final = 1.5
"""With 1, mAP fell from 33.8 to 33.4 where 480 pixels were left for 416; for a tenth less work."""
_REDUCTIONS: Final[tuple[Reduction, ...]] = (8, 4, 2)


@dataclass(frozen=True, slots=True)
class Size:
    """Of a picture, as it was sent."""

    width: int
    height: int

    @property
    def n_pixels(self) -> int:
        return self.width * self.height


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A picture, maybe smaller than it was sent."""

    frame: Frame
    size: Size
    """As it was sent."""

    def to_sent(self, found: Detections) -> Detections:
        """Return what was found in the frame, in pixels of the picture as it was sent."""
        scale = (self.size.width / self.frame.width, self.size.height / self.frame.height)
        if scale == (1.0, 1.0):
            return found
        boxes = found.xyxy * np.array(scale * 2, np.float32)
        boxes = clip(boxes, width=self.size.width, height=self.size.height)
        return Detections(boxes, found.scores, found.labels, found.tracks)


class Decoding(Protocol):
    """Decodes, somewhere."""

    async def decode(self, picture: bytes | Pixels, spec: InputSpec) -> Decoded:
        """Return it in as many pixels as a network of this input can use. Raise `BadInquiry`."""


class DecodingThreads:
    """A `Decoding` in threads of its own, as many as there are cores."""

    def __init__(self, n_threads: int | None = None) -> None:
        self.n_threads: Final = n_threads or len(os.sched_getaffinity(0))
        self._threads = ThreadPoolExecutor(self.n_threads, thread_name_prefix="decoding")

    async def decode(self, picture: bytes | Pixels, spec: InputSpec) -> Decoded:
        """See `Decoding`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, decode, picture, spec)

    def close(self) -> None:
        """Wait for what is being decoded; nothing comes after it."""
        self._threads.shutdown(wait=True, cancel_futures=True)


def read_size(picture: bytes | Pixels) -> Size:
    """Return the size as the header has it, which takes microseconds. Raise `BadInquiry`."""
    if isinstance(picture, Pixels):
        height, width = picture.rgb.shape[:2]
        return _checked(Size(width, height), MAX_PIXELS)
    try:
        if is_png(picture):
            return _checked(Size(*read_png_size(picture)), MAX_LONG_PIXELS)
        size = Size(*read_jpeg_size(picture))
    except BadPicture as error:
        raise BadInquiry(str(error)) from error
    if size.n_pixels > MAX_PIXELS_A_BYTE * len(picture):
        message = f"a JPEG of {size.width} x {size.height} in {len(picture)} bytes is cut short"
        raise BadInquiry(message)
    return _checked(size, MAX_PIXELS)


def decode(picture: bytes | Pixels, spec: InputSpec) -> Decoded:
    """See `Decoding`; it takes milliseconds."""
    size = read_size(picture)
    reduction = reduction_for(size, spec)
    try:
        bgr = _to_bgr(picture, reduction)
    except BadPicture as error:
        raise BadInquiry(str(error)) from error
    return Decoded(frame_from_bgr(bgr, captured_at=_NO_INSTANT), size)


def reduction_for(size: Size, spec: InputSpec) -> Reduction:
    """Return how many times smaller there are still pixels to spare for what the network takes."""
    drawn = place(spec, size.width, size.height)
    for reduction in _REDUCTIONS:
        least = _SPARE * reduction
        if size.width >= drawn.width * least and size.height >= drawn.height * least:
            return reduction
    return 1


def _to_bgr(picture: bytes | Pixels, reduction: Reduction) -> Bgr:
    if isinstance(picture, Pixels):
        return _reduced(np.ascontiguousarray(picture.rgb[:, :, ::-1]), reduction)
    if is_png(picture):
        return _reduced(decode_png(picture, max_pixels=MAX_LONG_PIXELS), reduction)
    return decode_jpeg(picture, max_pixels=MAX_PIXELS, reduction=reduction)


def _reduced(bgr: Bgr, reduction: Reduction) -> Bgr:
    """Return it smaller: what waits for a judge is to take as little memory as from a JPEG."""
    if reduction == 1:
        return bgr
    height, width = bgr.shape[:2]
    smaller = (-(-width // reduction), -(-height // reduction))
    return np.asarray(cv2.resize(bgr, smaller, interpolation=cv2.INTER_AREA), np.uint8)


def _checked(size: Size, max_pixels: int) -> Size:
    if not 0 < size.n_pixels <= max_pixels:
        message = f"a picture of {size.width} x {size.height}; at most {max_pixels} pixels"
        raise BadInquiry(f"{message} are opened")
    return size
