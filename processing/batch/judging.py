"""From a picture's bytes to what is in it: the one function that every runner of batches calls.

It takes no more than bytes and a detector, so that a local pool and Ray Data run the same:
`judge_pictures` is what `map_batches` calls on an actor that holds an engine.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import cv2
import numpy as np

from processing.inference.detector import Detector, InferenceFailed
from processing.media.colour import Bgr, frame_from_bgr
from processing.media.jpeg import MAX_BYTES, MAX_PIXELS, BadPicture, decode_jpeg
from processing.pipeline.to_wire import pack_detections
from processing.wire.batch import MAX_SIDE, PictureOutcome
from processing.wire.limits import MAX_TEXT

_NO_INSTANT: Final = datetime.fromtimestamp(0, UTC)
_PNG: Final = b"\x89PNG\r\n\x1a\n"


def judge_pictures(
    pictures: Sequence[bytes], detector: Detector, *, min_score: float
) -> list[PictureOutcome]:
    """Return what came of each picture, in their order."""
    return [judge_picture(picture, detector, min_score=min_score) for picture in pictures]


def judge_picture(picture: bytes, detector: Detector, *, min_score: float) -> PictureOutcome:
    """Return what is in a JPEG or PNG at `min_score` (0..1) and above, or why nobody can tell.

    The same bytes and the same bundle give the same outcome wherever they are judged.
    """
    try:
        bgr = decode_picture(picture)
        found = detector.detect(frame_from_bgr(bgr, captured_at=_NO_INSTANT))
    except BadPicture as reason:
        return failed(f"It is no picture that can be opened: {reason}.")
    except InferenceFailed as reason:
        return failed(f"The model could not look at it: {reason}.")
    height, width = bgr.shape[:2]
    packed = pack_detections(found[found.scores >= min_score], width=width, height=height)
    return PictureOutcome(width, height, packed)


def failed(words: str) -> PictureOutcome:
    """Return the outcome of a picture that could not be judged."""
    return PictureOutcome(error=words[:MAX_TEXT])


def decode_picture(data: bytes) -> Bgr:
    """Return a JPEG or PNG as BGR, as stored: a rotation in its EXIF is not applied.

    Its size is judged before it is decoded. Raise `BadPicture`.
    """
    if not data.startswith(_PNG):
        return decode_jpeg(data)
    width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    is_sound = 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS
    if len(data) > MAX_BYTES or not is_sound:
        raise BadPicture(f"a PNG of {width} x {height}; at most {MAX_PIXELS} pixels are opened")
    try:
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        bgr = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise BadPicture(f"the PNG cannot be decoded: {error.err}") from error
    if bgr is None or bgr.shape[:2] != (height, width):
        raise BadPicture("the PNG cannot be decoded")
    return np.asarray(bgr, np.uint8)
