"""Frames that a pool's devices have accepted: each is answered once, by its device or for it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from processing.inference.detector import Detector, InferenceFailed, OnDone
from processing.vision.detections import Detections

log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Errand:
    """A frame on a device."""

    on_done: OnDone
    begun: float
    """Monotonic."""


@dataclass(slots=True, eq=False)
class Run:
    """An engine at work on one device, from its start to its end. `Errands` changes it."""

    device: str
    engine: Detector
    began: float
    """Monotonic."""
    hang_s: float
    """A frame without an answer for so long will have none."""
    errands: dict[Errand, None] = field(default_factory=dict)
    """Not answered yet, the oldest first."""
    n_failed: int = 0
    """Frames in a row."""
    last_failure: str = ""
    is_over: bool = False
    """It gets no more frames."""


class Errands:
    """The books of a pool. Any thread may call."""

    def __init__(self, clock: Callable[[], float], *, n_failures: int) -> None:
        self.clock = clock
        """Monotonic seconds."""
        self._n_failures = n_failures
        self._on_failing: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._settled = threading.Condition(self._lock)
        self._n_unanswered = 0
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        with self._lock:
            return self._is_closed

    def call_on_failing(self, on_failing: Callable[[], None]) -> None:
        """Call this, from any thread, when so many frames in a row have failed that a run ends."""
        self._on_failing = on_failing

    def close(self) -> None:
        """Begin none any more."""
        with self._lock:
            self._is_closed = True

    def begin(self, run: Run, on_done: OnDone) -> Errand | None:
        """Book a frame before the run's engine is asked; None if it is not to be asked."""
        with self._lock:
            if self._is_closed or run.is_over:
                return None
            errand = Errand(on_done, self.clock())
            run.errands[errand] = None
            self._n_unanswered += 1
            return errand

    def withdraw(self, run: Run, errand: Errand) -> bool:
        """Take back a frame that the engine did not accept; False if it was answered meanwhile."""
        with self._lock:
            if errand not in run.errands:
                return False
            del run.errands[errand]
            self._count_down()
            return True

    def answer(self, run: Run, errand: Errand, answer: Detections | InferenceFailed) -> None:
        """Pass a device's answer on, unless it comes too late: then it was answered for it."""
        with self._lock:
            if errand not in run.errands:
                return
            del run.errands[errand]
            is_failing = _note(run, answer, self._n_failures)
        self._tell(errand, answer)
        if is_failing:
            self._on_failing()

    def end(self, run: Run) -> None:
        """Give the run no more frames; those that it has may still be answered."""
        with self._lock:
            run.is_over = True

    def give_up(self, run: Run, reason: str) -> None:
        """End the run, and answer in its place what it has not answered."""
        with self._lock:
            run.is_over = True
            forsaken = tuple(run.errands)
            run.errands.clear()
        for errand in forsaken:
            self._tell(errand, InferenceFailed(reason))

    def oldest_begun(self, run: Run) -> float | None:
        """Return since when the run's oldest frame has had no answer, monotonic."""
        with self._lock:
            return next((errand.begun for errand in run.errands), None)

    def excuse(self, run: Run, seconds: float) -> None:
        """Do not count this time as waiting: nobody could have answered in it."""
        with self._lock:
            for errand in run.errands:
                errand.begun += seconds

    def wait(self) -> None:
        """Return once every accepted frame has been answered."""
        with self._settled:
            self._settled.wait_for(lambda: self._n_unanswered == 0)

    def _tell(self, errand: Errand, answer: Detections | InferenceFailed) -> None:
        try:
            errand.on_done(answer)
        except Exception:
            # A supervisor: a caller's mistake must cost neither a device nor the pool.
            log.exception("pool.callback_failed")
        with self._lock:
            self._count_down()

    def _count_down(self) -> None:
        self._n_unanswered -= 1
        if not self._n_unanswered:
            self._settled.notify_all()


def _note(run: Run, answer: Detections | InferenceFailed, n_failures: int) -> bool:
    """Count failures in a row; at so many end the run, which fails faster than others work."""
    if not isinstance(answer, InferenceFailed):
        run.n_failed = 0
        return False
    run.n_failed += 1
    run.last_failure = str(answer)
    is_failing = run.n_failed >= n_failures
    run.is_over = run.is_over or is_failing
    return is_failing
