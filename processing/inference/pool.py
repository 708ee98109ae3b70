"""Several devices as one engine: whichever is free takes the frame, one that dies is replaced.

A device is taken out when several frames in a row fail on it, or when one has had no answer for
some seconds. What it has not answered is answered for it, and another device does its work: one
that runs already, else the last resort, which is started for that. It is tried again, ever more
seldom, until it is back. Nobody who submits frames waits for any of this.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from processing.inference.bundle import BundleUnfit
from processing.inference.detector import Embedding, InferenceFailed, OnDone
from processing.inference.device_keeper import DeviceKeeper, Patience, Problems, Start
from processing.inference.errands import Errands, Run
from processing.vision.detections import Detections
from processing.vision.frame import Frame

_BUSY_S: Final = 0.002
"""How often to see whether a request is free, for those who wait for one."""


class EnginePool:
    """A `Detector` over engines on several devices."""

    def __init__(self, errands: Errands, keeper: DeviceKeeper) -> None:
        """Use `open`."""
        self._errands = errands
        self._keeper = keeper

    @classmethod
    def open(
        cls,
        devices: Sequence[str],
        start: Start,
        *,
        problems: Problems,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> "EnginePool":
        """Return the pool as soon as one of the devices runs; the others join when they are ready.

        The first that has a free request takes a frame, in the order given. If none can be started
        the CPU is, named or not. Raise `BundleUnfit` if that fails too. `clock` is monotonic.
        """
        patience = patience or Patience()
        errands = Errands(clock, n_failures=patience.n_failures)
        keeper = DeviceKeeper(devices, start, errands=errands, problems=problems, patience=patience)
        pool = cls(errands, keeper)
        failure = keeper.wait_for_start()
        if failure is not None:
            pool.close()
            raise BundleUnfit(str(failure)) from failure
        return pool

    @property
    def device(self) -> str:
        """See `Detector`; `none` while no device runs."""
        return "+".join(run.device for run in self._keeper.at_work) or "none"

    def detect(self, frame: Frame) -> Detections:
        """See `Detector`."""
        answers: queue.SimpleQueue[Detections | InferenceFailed] = queue.SimpleQueue()
        while not self.submit(frame, answers.put):
            self._any_run()
            time.sleep(_BUSY_S)
        answer = answers.get()
        if isinstance(answer, InferenceFailed):
            raise answer
        return answer

    def embed(self, frame: Frame) -> Embedding | None:
        """See `Detector`. A device that hangs raises `InferenceFailed` too."""
        run = self._any_run()
        answers: queue.SimpleQueue[Embedding | InferenceFailed | None] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(run.engine.embed(frame))
            except InferenceFailed as failure:
                answers.put(failure)

        threading.Thread(target=ask, name="embedding", daemon=True).start()
        try:
            answer = answers.get(timeout=run.hang_s)
        except queue.Empty:
            raise InferenceFailed(f"{run.device} does not answer") from None
        if isinstance(answer, InferenceFailed):
            raise answer
        return answer

    def submit(self, frame: Frame, on_done: OnDone) -> bool:
        """See `Detector`."""
        for run in self._keeper.at_work:
            errand = self._errands.begin(run, on_done)
            if errand is None:
                continue
            if run.engine.submit(frame, partial(self._errands.answer, run, errand)):
                return True
            if not self._errands.withdraw(run, errand):
                return True  # given up in that moment, and answered for
        return False

    def wait(self) -> None:
        """See `Detector`."""
        self._errands.wait()

    def close(self) -> None:
        """See `Detector`."""
        self._errands.close()
        self._errands.wait()
        self._keeper.close()

    def _any_run(self) -> Run:
        """Return the first device's run; raise `InferenceFailed` if there is none."""
        if self._errands.is_closed:
            raise InferenceFailed("the engine is closed")
        for run in self._keeper.at_work:
            return run
        raise InferenceFailed("no device runs")
