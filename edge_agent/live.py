"""Which cameras somebody looks at, and the newest picture of each."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from processing.wire.messages import LiveDemand, LivePicture, LiveView


@dataclass(slots=True)
class _Look:
    view: LiveView
    next_at: float


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
            self._looks = {
                view.camera_id: _Look(
                    view, before[view.camera_id].next_at if view.camera_id in before else at
                )
                for view in demand.views
            }
            self._forget_unwanted()

    def stop(self) -> None:
        """Nobody looks any more, or the hub that said so is gone."""
        with self._lock:
            self._looks.clear()
            self._newest.clear()

    def turn_of(self, camera_id: UUID) -> LiveView | None:
        """Return how to show this frame if it is one to show, at the rate that was asked for."""
        with self._lock:
            at = self._clock()
            if at >= self._expires_at:
                self._looks.clear()
                self._newest.clear()
            look = self._looks.get(camera_id)
            if look is None or at < look.next_at:
                return None
            interval = 1.0 / look.view.max_fps
            # A quarter early is near enough: frames do not come when they are due.
            look.next_at = max(look.next_at + interval, at + interval * 0.75)
            return look.view

    def put(self, picture: LivePicture) -> None:
        """Offer a picture; an older one of the same camera that was not sent is forgotten."""
        with self._lock:
            if picture.camera_id not in self._looks:
                return
            self._newest.pop(picture.camera_id, None)
            self._newest[picture.camera_id] = picture
        self._on_put()

    def take(self) -> LivePicture | None:
        """Return the picture that has waited longest."""
        with self._lock:
            if not self._newest or self._clock() >= self._expires_at:
                self._newest.clear()
                return None
            return self._newest.pop(next(iter(self._newest)))

    def _forget_unwanted(self) -> None:
        for camera_id in self._newest.keys() - self._looks.keys():
            del self._newest[camera_id]
