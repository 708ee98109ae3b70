"""A quiet scene made from a video: its emptiest frame, some noise, and now and then a walker.

The walker is cut out of the video too, where the network is surest of one, so the network sees in
the made scene what it sees in the real one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.inference.detector import Detector
from processing.pipeline.tiling import Crop
from processing.vision.detections import Detections
from processing.vision.frame import Frame, Plane, Planes

SECONDS: Final = 120.0
_NOISE: Final = 2.0
"""Steps of luma: a camera by daylight."""
_TALL: Final = 0.35
_FEET: Final = 0.85
"""Of the picture's height."""
_FEATHER: Final = 0.12
_DOUBTFUL: Final = 0.2
_SURE: Final = 0.5
_WALKS: Final = (
    # from second, to second, from x, to x (shares of the width, of the walker's middle)
    (20.0, 26.0, -0.1, 0.4),
    (26.0, 41.0, 0.4, 0.4),
    (41.0, 48.0, 0.4, 1.1),
    (85.0, 95.0, 1.1, -0.1),
)
"""One comes, stands for 15 s and goes on; later another passes. 38 s of 120."""


@dataclass(frozen=True, slots=True, eq=False)
class Cutting:
    """What a quiet scene is made of."""

    empty: Planes
    walker: Planes
    label: int


def cut_out(frames: Iterable[Frame], detector: Detector, wanted: int | None) -> Cutting | None:
    """Return the emptiest frame and the surest thing of the wanted class (None: of any).

    None if the network is sure of nothing. Raise `InferenceFailed` as it comes.
    """
    empty: tuple[float, Frame] | None = None
    best: tuple[float, Frame, Crop, int] | None = None
    for frame in frames:
        found = detector.detect(frame)
        crowd = float(found.scores[found.scores > _DOUBTFUL].sum())
        if empty is None or crowd < empty[0]:
            empty = (crowd, frame)
        surest = _surest(found, wanted)
        if surest is not None and (best is None or found.scores[surest] > best[0]):
            crop = _around(found.xyxy[surest], frame)
            best = (float(found.scores[surest]), frame, crop, int(found.labels[surest]))
    if empty is None or best is None or best[0] < _SURE:
        return None
    _, picture, crop, label = best
    return Cutting(empty[1], _scaled(crop.cut(picture), round(_TALL * picture.height)), label)


def quiet_frames(cutting: Cutting, *, fps: float, begins: datetime) -> Iterator[Frame]:
    """Yield two minutes, the same each time."""
    dice = np.random.default_rng(0)
    for index in range(round(SECONDS * fps)):
        seconds = index / fps
        planes = [cutting.empty.y.copy(), cutting.empty.u.copy(), cutting.empty.v.copy()]
        middle = _walker_at(seconds)
        if middle is not None:
            _paste(planes, cutting.walker, middle)
        noise = dice.standard_normal(planes[0].shape, np.float32) * np.float32(_NOISE)
        luma = np.clip(np.rint(planes[0] + noise), 16, 235).astype(np.uint8)
        yield Frame(luma, planes[1], planes[2], captured_at=begins + timedelta(seconds=seconds))


def _surest(found: Detections, wanted: int | None) -> int | None:
    scores = found.scores if wanted is None else found.scores * (found.labels == wanted)
    return int(scores.argmax()) if len(scores) and scores.max() > 0.0 else None


def _around(box: NDArray[np.float32], frame: Frame) -> Crop:
    room = 0.1 * (box[2:] - box[:2])
    left, top = (2 * int(max(each, 0) // 2) for each in box[:2] - room)
    right = min(2 * int((box[2] + room[0]) // 2), frame.width // 2 * 2)
    bottom = min(2 * int((box[3] + room[1]) // 2), frame.height // 2 * 2)
    return Crop(left, top, right - left, bottom - top)


def _scaled(planes: Planes, tall: int) -> Planes:
    height = tall // 2 * 2
    width = max(2, round(planes.width * height / planes.height / 2) * 2)
    return Planes(
        y=_resized(planes.y, width, height),
        u=_resized(planes.u, width // 2, height // 2),
        v=_resized(planes.v, width // 2, height // 2),
    )


def _resized(plane: Plane, width: int, height: int) -> Plane:
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _walker_at(seconds: float) -> float | None:
    for begins, ends, start, end in _WALKS:
        if begins <= seconds < ends:
            return start + (end - start) * (seconds - begins) / (ends - begins)
    return None


def _paste(planes: list[Plane], walker: Planes, middle: float) -> None:
    height, width = planes[0].shape
    left = round(middle * width - walker.width / 2) // 2 * 2
    top = round(_FEET * height - walker.height) // 2 * 2
    for plane, patch, step in zip(planes, (walker.y, walker.u, walker.v), (1, 2, 2), strict=True):
        _blend(plane, patch, left // step, top // step)


def _blend(plane: Plane, patch: Plane, left: int, top: int) -> None:
    """Draw the patch, soft at its border, as far as it is inside."""
    first, last = max(left, 0), min(left + patch.shape[1], plane.shape[1])
    if first >= last:
        return
    shown = slice(first - left, last - left)
    window = plane[top : top + patch.shape[0], first:last]
    share = _soft(patch.shape)[:, shown]
    mixed = window + share * (patch[:, shown].astype(np.float32) - window)
    window[:] = np.rint(mixed).astype(np.uint8)


def _soft(shape: tuple[int, ...]) -> NDArray[np.float32]:
    rows, columns = (
        np.minimum(np.arange(n) + 1, np.arange(n)[::-1] + 1) / max(_FEATHER * n, 1.0) for n in shape
    )
    return np.minimum(np.minimum.outer(rows, columns), 1.0).astype(np.float32)
