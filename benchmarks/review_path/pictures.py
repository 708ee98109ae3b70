"""Made pictures with things in them, the same ones on every run, and what a model might say."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

WIDTH: Final = 1280
HEIGHT: Final = 720
LABELS: Final = ("person", "bicycle", "car", "dog", "truck", "bird")
_SEED: Final = 20261122
_N_BOXES: Final = (3, 8)


@dataclass(frozen=True)
class Seen:
    """One predicted box, 0..1 of the picture."""

    xyxy: tuple[float, float, float, float]
    label: int
    score: float


@dataclass(frozen=True)
class Picture:
    """A JPEG and its predictions."""

    jpeg: bytes
    seen: tuple[Seen, ...]


def made_pictures(n: int) -> Iterator[Picture]:
    """Yield `n` pictures as large as a camera's (450 KB of noise), with 3 to 7 boxes each."""
    random = np.random.default_rng(_SEED)
    for _ in range(n):
        ground = random.integers(0, 255, (HEIGHT // 16, WIDTH // 16, 3), np.uint8)
        pixels = cv2.resize(ground, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        pixels = cv2.add(pixels, random.integers(0, 24, pixels.shape, np.uint8))
        seen = tuple(_seen(random) for _ in range(random.integers(*_N_BOXES)))
        for box in seen:
            x0, y0, x1, y1 = box.xyxy
            start, end = (int(x0 * WIDTH), int(y0 * HEIGHT)), (int(x1 * WIDTH), int(y1 * HEIGHT))
            cv2.rectangle(pixels, start, end, random.integers(0, 255, 3).tolist(), -1)
        _, jpeg = cv2.imencode(".jpg", pixels)
        yield Picture(jpeg.tobytes(), seen)


def _seen(random: np.random.Generator) -> Seen:
    x0, y0 = random.uniform(0.02, 0.7, 2)
    across, down = random.uniform(0.05, 0.25, 2)
    box = (float(x0), float(y0), float(x0 + across), float(y0 + down))
    return Seen(box, int(random.integers(len(LABELS))), float(random.uniform(0.25, 0.95)))
