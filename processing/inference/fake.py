"""An engine that sees what it is told to see: for tests, and for trying things without a bundle."""

import threading
from collections import deque
from collections.abc import Iterable
from typing import Final

import numpy as np

from processing.inference.detector import Embedding, InferenceFailed, OnDone
from processing.vision.detections import Detections
from processing.vision.frame import Frame


class FakeEngine:
    """A `Detector` whose answers are a script; it sees nothing once the script is over.

    `submit` answers at once, on the caller's thread, unless `hold` was called: then answers wait
    for `release`, and `n_requests` unanswered frames make it refuse more, as the real one does. An
    engine that is held and not released is one whose device hangs; `close` makes it answer late.
    """

    def __init__(
        self,
        script: Iterable[Detections | InferenceFailed] = (),
        *,
        n_requests: int = 1,
        device: str = "FAKE",
    ) -> None:
        self.device: Final = device
        self.frames: list[Frame] = []
        """Every frame it was shown, in order."""
        self._script = deque(script)
        self._n_requests = n_requests
        self._held: deque[tuple[Detections | InferenceFailed, OnDone]] = deque()
        self._is_holding = False
        self._is_closed = False
        self._broken: InferenceFailed | None = None
        self._changed = threading.Condition()

    def detect(self, frame: Frame) -> Detections:
        """See `Detector`."""
        with self._changed:
            if self._is_closed:
                raise InferenceFailed("the engine is closed")
            answer = self._next(frame)
        if isinstance(answer, InferenceFailed):
            raise answer
        return answer

    def embed(self, frame: Frame) -> Embedding:
        """See `Detector`. Of mean brightness and colour; the script does not count."""
        with self._changed:
            if self._is_closed:
                raise InferenceFailed("the engine is closed")
            if self._broken is not None:
                raise self._broken
        means = np.array([plane.mean() for plane in (frame.y, frame.u, frame.v)])
        return (means / float(np.linalg.norm(means))).astype(np.float16)

    def submit(self, frame: Frame, on_done: OnDone) -> bool:
        """See `Detector`."""
        with self._changed:
            if self._is_closed or len(self._held) >= self._n_requests:
                return False
            answer = self._next(frame)
            if self._is_holding:
                self._held.append((answer, on_done))
                return True
        on_done(answer)
        return True

    def wait(self) -> None:
        """See `Detector`."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held)

    def close(self) -> None:
        """See `Detector`."""
        self.release()
        with self._changed:
            self._is_closed = True

    def break_down(self, reason: str) -> None:
        """Answer every frame from now on that this is why it fails, whatever the script says."""
        with self._changed:
            self._broken = InferenceFailed(reason)

    def hold(self) -> None:
        """Keep answers back from now on."""
        with self._changed:
            self._is_holding = True

    def release(self) -> None:
        """Give the answers that were kept back, in order, and keep none back from now on."""
        with self._changed:
            self._is_holding = False
            held = list(self._held)
        for answer, on_done in held:
            on_done(answer)
        with self._changed:
            self._held.clear()
            self._changed.notify_all()

    def _next(self, frame: Frame) -> Detections | InferenceFailed:
        self.frames.append(frame)
        if self._broken is not None:
            return self._broken
        return self._script.popleft() if self._script else Detections.empty()
