"""What is done with the detections of one camera's frames: choose classes, track, apply rules."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from processing.rules.entering import Entered
from processing.rules.happening import Glimpse, Happening
from processing.rules.rulebook import Rulebook
from processing.tracking.bytetrack import Tracker
from processing.vision.detections import Boxes, Detections
from processing.vision.frame import Frame
from processing.wire.camera import DesiredCamera


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What one frame showed."""

    tracked: Detections
    """All of the wanted classes, the doubtful ones too, with tracks."""
    shown: Detections
    """Those that reach the camera's threshold: what a result holds."""
    started: NDArray[np.int32]
    """The labels of tracks that were confirmed in this frame."""
    entered: Entered
    """What is in a zone for the first time."""
    happenings: tuple[Happening, ...]
    """What the camera's rules say of it."""
    glimpses: tuple[Glimpse, ...]
    """Running events that this frame shows better than those before."""

    @property
    def boxes(self) -> Boxes:
        """Return the boxes (n, 4) of what is tracked."""
        boxes: Boxes = self.tracked.xyxy[self.tracked.tracks != 0]
        return boxes


class Watching:
    """The state that one camera's frames share. Call `look` once a frame, in order of time."""

    def __init__(
        self,
        camera: DesiredCamera,
        *,
        bundle_labels: tuple[str, ...],
        ids: Iterator[int],
        new_id: Callable[[], UUID],
    ) -> None:
        self._tracker = Tracker(ids, confident=camera.score_threshold)
        self._rules = Rulebook(
            camera.scene, labels=bundle_labels, camera_name=camera.name, new_id=new_id
        )
        self._bundle_labels = bundle_labels
        self._choose(camera)

    def tune(self, camera: DesiredCamera) -> tuple[Happening, ...]:
        """Go on with other settings, without losing tracks; return what ends with its rule."""
        self._choose(camera)
        self._tracker.confident = camera.score_threshold
        ended = self._rules.tune(camera.scene, labels=self._bundle_labels, camera_name=camera.name)
        return tuple(ended)

    def look(self, found: Detections, frame: Frame, *, tampered: str | None = None) -> Seen:
        """Return what to say of a frame in which the engine found this.

        `tampered` says in a word what is wrong with the camera's pictures.
        """
        wanted = self._is_wanted.take(found.labels + 1, mode="clip")
        tracked = self._tracker.update(found[wanted], frame.captured_at)
        detections = tracked.detections
        happenings = self._rules.look(
            detections,
            width=frame.width,
            height=frame.height,
            at=frame.captured_at,
            tampered=tampered,
            confident=self._tracker.confident,
        )
        return Seen(
            tracked=detections,
            shown=detections[detections.scores >= self._tracker.confident],
            started=tracked.started,
            entered=self._rules.entered,
            happenings=tuple(happenings),
            glimpses=self._rules.glimpses,
        )

    def end(self, at: datetime) -> tuple[Happening, ...]:
        """Return the ends of all events: the camera is not watched any more."""
        return tuple(self._rules.end_all(at))

    def _choose(self, camera: DesiredCamera) -> None:
        names = set(camera.labels)
        wanted = (not names or label in names for label in self._bundle_labels)
        # Before the first and behind the last is what the bundle does not know.
        self._is_wanted = np.array([False, *wanted, False], np.bool_)
