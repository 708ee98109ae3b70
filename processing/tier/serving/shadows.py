"""Versions that judge copies of pictures, to be compared with what those said who were asked."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from processing.tier.contract import Inquiry, Refused
from processing.tier.judging.decoding import Size
from processing.tier.queueing.batcher import Batcher
from processing.tier.queueing.figures import ModelFigures
from processing.vision.detections import Detections
from processing.vision.geometry import iou_matrix

SHOWN: Final = 0.4
"""A camera's default threshold: what scores less is shown to nobody."""
SAME_IOU: Final = 0.5
MOST_MS: Final = 5_000.0
"""Given to a copy; nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a version found, and what the numbers in it mean."""

    found: Detections
    labels: Sequence[str]


@dataclass(frozen=True, slots=True)
class Shadow:
    """A version that judges copies."""

    batcher: Batcher
    labels: Sequence[str]


class Copies:
    """Copies that are being judged. None is made unless nobody at all waits for anything."""

    def __init__(self, is_quiet: Callable[[], bool]) -> None:
        self._is_quiet = is_quiet
        self._judging: set[asyncio.Task[None]] = set()

    def offer(
        self, inquiry: Inquiry, size: Size, said: Said, shadow: Shadow, figures: ModelFigures
    ) -> None:
        """Have the shadow judge a copy and compare, if there is room. Called after the answer."""
        if not self._is_quiet():
            figures.n_not_compared += 1
            return
        judging = self._compare(inquiry, size, said, shadow, figures)
        task = asyncio.get_running_loop().create_task(judging)
        self._judging.add(task)
        task.add_done_callback(self._judging.discard)

    def stop(self) -> None:
        """Compare no more."""
        for task in self._judging:
            task.cancel()

    async def _compare(
        self, inquiry: Inquiry, size: Size, said: Said, shadow: Shadow, figures: ModelFigures
    ) -> None:
        copy = replace(inquiry, urgency="batch", budget_ms=MOST_MS)
        try:
            verdict = await shadow.batcher.submit(copy, size)
        except Refused:
            figures.n_not_compared += 1
            return
        figures.n_compared += 1
        if not is_agreed(said, Said(verdict.found, shadow.labels)):
            figures.n_disagreed += 1


def is_agreed(one: Said, other: Said) -> bool:
    """Return whether each found what the other found: of one name, at about the same place.

    Labels are compared by name, as two versions may number them otherwise.
    """
    first = one.found[one.found.scores >= SHOWN]
    second = other.found[other.found.scores >= SHOWN]
    if len(first) != len(second):
        return False
    overlaps = iou_matrix(first.xyxy, second.xyxy)
    names = np.array([one.labels[label] for label in first.labels], np.object_)
    others = np.array([other.labels[label] for label in second.labels], np.object_)
    overlaps[names[:, None] != others] = 0.0
    # Each is paired with the one it overlaps most, once: what stays alone is a disagreement.
    for _ in range(len(first)):
        row, column = np.unravel_index(overlaps.argmax(), overlaps.shape)
        if overlaps[row, column] < SAME_IOU:
            return False
        overlaps[row, :] = overlaps[:, column] = 0.0
    return True
