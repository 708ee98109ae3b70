"""One camera's frames on their way through the engine and the cloud, until they are settled.

What the agent has no time for, or is not sure of, the cloud may judge (`OverflowPolicy`). All come
back in the order in which they were taken: one that is away holds up those after it, at most until
its deadline.
"""

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from edge_agent.duty import Network
from edge_agent.inspection import Inspection
from edge_agent.line import Line
from edge_agent.overflow.errand import Errand, TurnedAway, Verdict, Why
from edge_agent.overflow.policy import is_in_doubt
from edge_agent.slot import Slot
from edge_agent.workplace import Workplace
from processing.inference.detector import InferenceFailed
from processing.pipeline.privacy import Exposure
from processing.pipeline.tiling import crops
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.wire.camera import DesiredCamera

_MOST_LENT: Final = 16
"""Frames of a camera in line when one more may still go to the cloud..."""
_MOST_IN_LINE: Final = 64
"""...and when none is begun any more: each is kept in memory."""


class Judging:
    """Its methods are called by different threads, as they say."""

    def __init__(
        self, camera: DesiredCamera, place: Workplace, *, answered: Callable[[], None]
    ) -> None:
        """`answered` is called, on any thread, when a frame may be settled."""
        self.camera = camera
        """As it is wanted now; whoever tunes it changes this."""
        self._place = place
        self._answered = answered
        self.slot: Final = Slot(
            on_dropped=self._superseded, on_put=place.wake, is_patient=place.is_patient
        )
        self._lock = threading.RLock()  # a frame that is given back may be superseded at once
        self._line = Line()
        self._returned: deque[Inspection] = deque()
        """In line, and to be judged here: the cloud would not."""
        self._beginning: Inspection | None = None
        """Some of its pieces are not on the engine yet."""
        self.is_stopped = False
        """No more frames are taken."""

    # ------------------------------------------------------------ the main thread

    def stop(self) -> None:
        """Take no more frames; those that are under way are still answered."""
        with self._lock:
            self.is_stopped = True
            self._give_up("the camera was stopped")
            self._give_up_returned()
        self.slot.close()

    def despair_of(self, network: Network) -> None:
        """Begin nothing more on a network that was relieved and hangs: it would never take it.

        From any thread.
        """
        with self._lock:
            if self._beginning is not None and self._beginning.network is network:
                self._give_up("the network was relieved, and hangs")
            if any(each.network is network for each in self._returned):
                self._give_up_returned()
        self._answered()

    def _give_up(self, reason: str) -> None:
        begun, self._beginning = self._beginning, None
        if begun is not None and begun.give_up(reason):
            self._place.duty.end(begun.network)

    def _give_up_returned(self) -> None:
        while self._returned:
            self._settle_lent(self._returned.popleft(), TurnedAway("failed"))

    # ------------------------------------------------------------ the scheduler's thread

    def use(self) -> bool | None:
        """See `edge_agent.scheduler.Turn`. One turn is one piece of a frame."""
        with self._lock:
            inspection = self._beginning or (self._returned[0] if self._returned else None)
            if inspection is None:
                frame = self._take()
                if frame is None:
                    return None
                inspection = self._inspect(frame)
                if self.camera.overflow.mode == "always" and self._lend_new(inspection, "always"):
                    self.slot.used()
                    return True
            return self._begin_piece(inspection)

    def _take(self) -> Frame | None:
        if self.is_stopped or len(self._line) >= _MOST_IN_LINE:
            return None
        return self.slot.take()

    def _inspect(self, frame: Frame) -> Inspection:
        camera = self.camera
        pieces = crops(frame.width, frame.height, camera.region, camera.tiling)
        return Inspection(frame, pieces, self._place.duty.begin(), camera.region)

    def _begin_piece(self, inspection: Inspection) -> bool:
        number = inspection.n_begun

        def on_done(answer: Detections | InferenceFailed) -> None:
            if inspection.answer(number, answer):
                self._place.duty.end(inspection.network)
                self._answered()

        if inspection.network.engine.submit(inspection.next_piece(), on_done):
            self._have_begun(inspection)
            return True
        if not number and inspection not in self._returned:
            self._place.duty.end(inspection.network)
            self.slot.give_back(inspection.frame)
        return False

    def _have_begun(self, inspection: Inspection) -> None:
        inspection.n_begun += 1
        if inspection.n_begun == 1:
            if inspection in self._returned:
                self._returned.remove(inspection)
            else:
                self._line.append(inspection)
        self._beginning = None if inspection.is_begun else inspection
        if self._beginning is None:
            self.slot.used()

    # ------------------------------------------------------------ the answers' thread

    def next_settled(self) -> Inspection | None:
        """Return the frame whose turn it is, once it is judged, or nobody will judge it."""
        self._ask_in_doubt()
        with self._lock:
            first = self._line.first
            if first is not None and first.is_answered and first.is_considered:
                return self._line.leave()
        return None

    @property
    def is_over(self) -> bool:
        """Return whether it was stopped, and nothing is under way any more."""
        with self._lock:
            return self.is_stopped and not len(self._line)

    def oldest_begun(self) -> float | None:
        """Return when the frame that has been under way longest began to be, monotonic."""
        with self._lock:
            first = self._line.first
            return None if first is None else first.begun

    def _ask_in_doubt(self) -> None:
        """Let the cloud look as well at what the network was not sure of."""
        camera = self.camera
        with self._lock:
            answered = [each for each in self._line if each.is_answered and not each.is_considered]
            is_wanted = camera.overflow.mode == "doubtful" and not self.is_stopped
            may_lend = is_wanted and len(self._line) <= _MOST_LENT
            for each in answered:
                each.is_considered = True
        if may_lend:
            for each in answered:
                found = each.verdict()
                if isinstance(found, Detections) and is_in_doubt(
                    found, camera, each.network.labels
                ):
                    self._lend(each, "doubtful")

    # ------------------------------------------------------------ the cloud; any thread

    def _superseded(self, frame: Frame) -> None:
        """Let the cloud have a frame that the engine had no time for, or drop it."""
        if self.camera.overflow.mode in {"saturated", "always"}:
            with self._lock:
                if not self.is_stopped:
                    inspection = self._inspect(frame)
                    if self._lend_new(inspection, "saturated"):
                        return
                    self._place.duty.end(inspection.network)
        self._place.health.frame_dropped(self.camera.camera_id, "engine_busy")

    def _lend_new(self, inspection: Inspection, why: Why) -> bool:
        """Put a frame in line, and let the cloud judge it; False: neither."""
        if len(self._line) >= _MOST_LENT or not self._line.insert(inspection):
            return False
        if self._lend(inspection, why):
            inspection.is_considered = True
            return True
        self._line.remove(inspection)
        return False

    def _lend(self, inspection: Inspection, why: Why) -> bool:
        camera = self.camera  # once: it may be tuned meanwhile
        exposure = Exposure(inspection.frame, camera.privacy, inspection.region, None)
        inspection.lend()
        errand = Errand(
            camera,
            exposure,
            inspection.network.labels,
            why=why,
            begun=inspection.begun,
            done=partial(self._come_back, inspection, why),
        )
        if self._place.cloud.offer(errand):
            return True
        inspection.take_back(None)
        return False

    def _come_back(self, inspection: Inspection, why: Why, verdict: Verdict) -> None:
        with self._lock:
            is_for_us = why == "always" and isinstance(verdict, TurnedAway)
            if is_for_us and verdict != TurnedAway("late") and not self.is_stopped:
                inspection.take_back(None)
                self._returned.append(inspection)
                self._place.wake()
                return
            if why == "doubtful":
                inspection.take_back(verdict)
            else:
                self._settle_lent(inspection, verdict)
        self._answered()

    def _settle_lent(self, inspection: Inspection, verdict: Verdict) -> None:
        inspection.take_back(verdict)
        self._place.duty.end(inspection.network)
