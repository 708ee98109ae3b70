"""A machine with devices that do as they are told: start, refuse, fail, hang, answer late."""

import threading
from collections import Counter

from processing.inference.bundle import BundleUnfit
from processing.inference.detector import InferenceFailed
from processing.inference.device_keeper import Patience
from processing.inference.fake import FakeEngine
from processing.vision.detections import Detections

SHORT = Patience(hang_s=0.2, hang_times=0.0, retry_s=0.05, retry_most_s=0.1, look_s=0.01)
"""Patience enough for a fake."""


class FakeMachine:
    """Starts engines; `start` is what a pool asks for."""

    def __init__(self, *, n_requests: int = 2) -> None:
        self._n_requests = n_requests
        self.missing: set[str] = set()
        """Devices that cannot be started."""
        self.slow: dict[str, threading.Event] = {}
        """Devices that start once this is set."""
        self.engines: dict[str, FakeEngine] = {}
        """The newest of each device."""
        self.n_starts: Counter[str] = Counter()

    def start(self, device: str) -> FakeEngine:
        self.n_starts[device] += 1
        if device in self.slow:
            self.slow[device].wait(20)
        if device in self.missing:
            raise BundleUnfit(f"there is no {device}")
        self.engines[device] = FakeEngine(n_requests=self._n_requests, device=device)
        return self.engines[device]


class Answers:
    """Counts the answers to each of the frames shown."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.by_number: dict[int, list[Detections | InferenceFailed]] = {}

    def note(self, number: int, answer: Detections | InferenceFailed) -> None:
        with self._lock:
            self.by_number.setdefault(number, []).append(answer)

    @property
    def n_each(self) -> set[int]:
        """How many answers frames have had: {1} when all went well."""
        with self._lock:
            return {len(answers) for answers in self.by_number.values()}

    @property
    def failures(self) -> list[str]:
        with self._lock:
            found = [answer for answers in self.by_number.values() for answer in answers]
        return [str(answer) for answer in found if isinstance(answer, InferenceFailed)]
