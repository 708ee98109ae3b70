"""Which cameras somebody looks at, and what is to be sent of each: never more than is fresh."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from uuid import UUID

from processing.wire.messages import LiveBoxes, LiveDemand, LivePicture, LiveVideo, LiveView
from processing.wire.tape import Kind, Tape

_MAX_TAPE_BYTES: Final = 512 * 1024
"""Of one stream's video that waits for the connection."""

Shown: TypeAlias = LivePicture | LiveVideo | LiveBoxes


@dataclass(slots=True)
class _Look:
    view: LiveView
    next_at: float
    tapes: tuple[Tape[LiveVideo | LiveBoxes], Tape[LiveVideo | LiveBoxes]] = field(
        default_factory=lambda: (Tape(_MAX_TAPE_BYTES), Tape(_MAX_TAPE_BYTES))
    )
    """Of what is analysed and of the main stream, in the order in which they are sent."""

    def wants_video(self, *, is_main: bool) -> bool:
        return self.view.has_main_video if is_main else self.view.has_video


class LiveDesk:
    """Any thread may call. `clock` is monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._looks: dict[UUID, _Look] = {}
        self._expires_at = 0.0
        self._newest: dict[UUID, LivePicture] = {}
        self._on_put: Callable[[], None] = lambda: None

    def call_on_put(self, on_put: Callable[[], None]) -> None:
        """Call this, from any thread, when there is a picture to send."""
        self._on_put = on_put

    def demand(self, demand: LiveDemand) -> None:
        """Somebody looks at these cameras and at no other, for a while."""
        with self._lock:
            at = self._clock()
            self._expires_at = at + demand.expires_s
            before = self._looks
            self._looks = {}
            for view in demand.views:
                look = before.get(view.camera_id) or _Look(view, at)
                look.view = view
                self._looks[view.camera_id] = look
                for is_main, tape in enumerate(look.tapes):
                    if not look.wants_video(is_main=bool(is_main)):
                        tape.clear()
            self._forget_unwanted()

    def stop(self) -> None:
        """Nobody looks any more, or the hub that said so is gone."""
        with self._lock:
            self._forget_all()

    def turn_of(self, camera_id: UUID) -> LiveView | None:
        """Return how to show this frame if it is one to show, at the rate that was asked for."""
        with self._lock:
            at = self._clock()
            look = self._look(camera_id, at)
            if look is None or not look.view.has_pictures or at < look.next_at:
                return None
            interval = 1.0 / look.view.max_fps
            # A quarter early is near enough: frames do not come when they are due.
            look.next_at = max(look.next_at + interval, at + interval * 0.75)
            return look.view

    def wants_video(self, camera_id: UUID, *, is_main: bool = False) -> bool:
        """Return whether somebody wants this camera's own packets, or its main stream's."""
        if not self._looks:  # asked for every packet of every camera, and mostly nobody looks
            return False
        with self._lock:
            look = self._look(camera_id, self._clock())
            return look is not None and look.wants_video(is_main=is_main)

    def put_video(self, video: LiveVideo) -> None:
        """Offer what comes next of a camera's video."""
        with self._lock:
            look = self._looks.get(video.camera_id)
            if look is None or not look.wants_video(is_main=video.is_main):
                return
            kind: Kind = "key" if video.is_key else "delta"
            look.tapes[video.is_main].put(video, len(video.fragment), kind)
        self._on_put()

    def put_boxes(self, boxes: LiveBoxes) -> None:
        """Offer what was found in a picture of a camera whose video somebody wants."""
        with self._lock:
            look = self._looks.get(boxes.camera_id)
            if look is None or not (look.view.has_video or look.view.has_main_video):
                return
            tape = look.tapes[not look.view.has_video]
            tape.put(boxes, len(boxes.detections), "boxes")
        self._on_put()

    def cut_video(self, camera_id: UUID, *, is_main: bool) -> None:
        """Forget what was offered of a camera's video and is not sent."""
        with self._lock:
            if look := self._looks.get(camera_id):
                look.tapes[is_main].clear()

    def put(self, picture: LivePicture) -> None:
        """Offer a picture; an older one of the same camera that was not sent is forgotten."""
        with self._lock:
            if picture.camera_id not in self._looks:
                return
            self._newest.pop(picture.camera_id, None)
            self._newest[picture.camera_id] = picture
        self._on_put()

    def take(self) -> Shown | None:
        """Return what is to be sent next: cameras take turns, video goes before pictures."""
        with self._lock:
            if self._clock() >= self._expires_at:
                self._forget_all()
                return None
            for camera_id, look in self._looks.items():
                if tape := next(filter(len, look.tapes), None):
                    del self._looks[camera_id]
                    self._looks[camera_id] = look  # the last one to be asked again
                    return tape.take(1)[0]
            if not self._newest:
                return None
            return self._newest.pop(next(iter(self._newest)))

    def _look(self, camera_id: UUID, at: float) -> _Look | None:
        if at >= self._expires_at:
            self._forget_all()
        return self._looks.get(camera_id)

    def _forget_all(self) -> None:
        self._looks.clear()
        self._newest.clear()

    def _forget_unwanted(self) -> None:
        for camera_id in self._newest.keys() - self._looks.keys():
            del self._newest[camera_id]
