"""Pictures made by rule: a view with structure, noise, light, walkers; what is in them is known."""

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.vision.frame import Frame, Plane

Picture = NDArray[np.float32]
"""(height, width), luma before rounding."""

START = datetime(2026, 11, 22, 12, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def view(seed: int, *, width: int = 640, height: int = 360) -> Picture:
    """Return a view full of edges, as streets and rooms are: things of all sizes, some texture."""
    dice = np.random.default_rng(seed)
    picture = np.full((height, width), dice.uniform(90, 150), np.float32)
    for size in (0.6, 0.3, 0.15, 0.08, 0.04):
        for _ in range(round(4 / size)):
            w, h = (dice.uniform(0.4, 1.6, 2) * size * height).astype(int)
            x, y = int(dice.uniform(-w / 2, width)), int(dice.uniform(-h / 2, height))
            shade = dice.uniform(30, 220)
            picture[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)] = shade
    texture = cv2.GaussianBlur(dice.normal(0, 14, picture.shape).astype(np.float32), (0, 0), 1.2)
    return np.clip(cv2.GaussianBlur(picture + texture, (0, 0), 0.7), 17, 234).astype(np.float32)


def shot(picture: Picture, dice: np.random.Generator, *, noise: float = 2.0) -> Plane:
    """Return luma as a sensor would give it, with Gaussian noise of this many steps."""
    seen = picture + dice.standard_normal(picture.shape, np.float32) * np.float32(noise)
    return np.clip(np.rint(seen), 16, 235).astype(np.uint8)


def frame_of(luma: Plane, at: datetime = START) -> Frame:
    """Return the grey frame of this luma."""
    height, width = luma.shape
    grey = np.full(((height + 1) // 2, (width + 1) // 2), 128, np.uint8)
    return Frame(y=luma, u=grey, v=grey, captured_at=at)


def with_walker(picture: Picture, x: float, y: float, *, tall: float, shade: float) -> Picture:
    """Return the picture with a figure, a third as wide as tall, whose feet are at (x, y)."""
    shown = picture.copy()
    left, right = round(x - tall / 6), round(x + tall / 6)
    top, bottom = round(y - tall), round(y)
    shown[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = shade
    return shown
