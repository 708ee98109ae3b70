"""One frame on its way to the cloud and back: whoever settles it first is heard, once."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from processing.pipeline.privacy import Exposure
from processing.vision.detections import Detections
from processing.wire.camera import DesiredCamera

Why: TypeAlias = Literal["saturated", "doubtful", "always"]
"""As the modes of `processing.wire.camera.OverflowPolicy`."""
Refusal: TypeAlias = Literal["refused", "late", "failed", "over_budget"]


@dataclass(frozen=True, slots=True)
class Tongue:
    """How the results of a judge are to be told: its bundle, and its numbers for labels."""

    bundle: bytes
    numbers: Mapping[int, int] | None = None
    """From the agent's own to the judge's; None: they are the same."""

    def tell(self, found: Detections) -> Detections:
        """Return the detections with the judge's numbers; without those that it has none for."""
        if self.numbers is None:
            return found
        labels = self._its(found.labels)
        known = labels >= 0
        kept = found[known]
        return Detections(kept.xyxy, kept.scores, labels[known], kept.tracks)

    def tell_labels(self, labels: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the judge's numbers for these labels; without those that it has none for."""
        if self.numbers is None:
            return labels
        its = self._its(labels)
        return np.asarray(its[its >= 0], np.int32)

    def _its(self, labels: NDArray[np.int32]) -> NDArray[np.int32]:
        assert self.numbers is not None
        return np.array([self.numbers.get(int(label), -1) for label in labels], np.int32)


@dataclass(frozen=True, slots=True)
class Answered:
    """The cloud has looked."""

    found: Detections
    """In pixels of the frame, labels by the agent's own numbers."""
    tongue: Tongue
    known: frozenset[int] | None = None
    """The agent's numbers for what the judge has words for; None: nobody has said."""


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """The cloud has not looked, or too late."""

    kind: Refusal


Verdict: TypeAlias = Answered | TurnedAway


class Errand:
    """Any thread may settle it."""

    def __init__(
        self,
        camera: DesiredCamera,
        exposure: Exposure,
        labels: tuple[str, ...],
        *,
        why: Why,
        begun: float,
        done: Callable[[Verdict], None],
    ) -> None:
        """`begun`: when its budget began to run, monotonic. `done` is called once, quickly."""
        self.camera: Final = camera
        self.exposure: Final = exposure
        self.labels: Final = labels
        """What the agent's numbers mean."""
        self.why: Final = why
        self.deadline: Final = begun + camera.overflow.budget_ms / 1000.0
        """Monotonic."""
        self._done = done
        self._lock = threading.Lock()
        self._is_settled = False

    @property
    def is_settled(self) -> bool:
        """Return whether nobody waits for it any more."""
        return self._is_settled

    @property
    def left_s(self) -> float:
        """Return how much of its budget is left; 0 once there is none."""
        return max(0.0, self.deadline - time.monotonic())

    def claim(self) -> bool:
        """Return whether nobody has settled it before: then the caller must `tell`."""
        with self._lock:
            is_first, self._is_settled = not self._is_settled, True
            return is_first

    def tell(self, verdict: Verdict) -> None:
        """Say how it went; for who has claimed it."""
        self._done(verdict)
