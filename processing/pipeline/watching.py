"""What is done with the detections of one camera's frames: choose classes, track, hide doubt."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processing.tracking.bytetrack import Tracker
from processing.vision.detections import Detections
from processing.vision.frame import Frame


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What one frame showed."""

    tracked: Detections
    """All of the wanted classes, the doubtful ones too, with tracks."""
    shown: Detections
    """Those that reach the camera's threshold: what a result holds."""
    started: NDArray[np.int32]
    """The labels of tracks that were confirmed in this frame."""


class Watching:
    """The state that one camera's frames share. Call `look` once a frame, in order of time."""

    def __init__(
        self,
        ids: Iterator[int],
        *,
        bundle_labels: tuple[str, ...],
        wanted: tuple[str, ...] = (),
        score_threshold: float,
    ) -> None:
        self._tracker = Tracker(ids, confident=score_threshold)
        self._bundle_labels = bundle_labels
        self.tune(wanted=wanted, score_threshold=score_threshold)

    def tune(self, *, wanted: tuple[str, ...], score_threshold: float) -> None:
        """Change what is looked for (no classes: all) without losing the tracks."""
        names = set(wanted)
        self._is_wanted = np.array(
            [not names or label in names for label in self._bundle_labels], np.bool_
        )
        self._tracker.confident = score_threshold

    def look(self, found: Detections, frame: Frame) -> Seen:
        """Return what to say of a frame in which the engine found this."""
        known = (found.labels >= 0) & (found.labels < len(self._is_wanted))
        found = found[known]
        tracked = self._tracker.update(found[self._is_wanted[found.labels]], frame.captured_at)
        detections = tracked.detections
        shown = detections[detections.scores >= self._tracker.confident]
        return Seen(tracked=detections, shown=shown, started=tracked.started)
