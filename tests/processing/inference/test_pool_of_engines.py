"""The pool with real engines: two on one bundle, one of which is poisoned in the midst of it."""

import threading
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest
import structlog

from processing.inference.bundle import Bundle
from processing.inference.device_keeper import Patience
from processing.inference.engine import Engine
from processing.inference.network import Request, RuntimeRefused
from processing.inference.pool import EnginePool
from processing.vision.detections import Detections
from tests.edge_agent.entries import Noticed, wait_until
from tests.processing.inference.fake_machine import Answers
from tests.processing.tiny_bundle import LABELS, frame

PATIENCE = Patience(hang_s=1.0, hang_times=0.0, retry_s=0.2, retry_most_s=0.2, look_s=0.02)


class Poison:
    """Makes the requests of one engine fail, or hang, as a device that dies would."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.poisoned: set[Request] = set()
        self.hanging: set[Request] = set()
        self.let_go = threading.Event()
        run = Request.run

        def run_or_fail(request: Request) -> list[np.ndarray]:
            if request in self.poisoned:
                raise RuntimeRefused(RuntimeError("the device was lost"))
            if request in self.hanging:
                self.let_go.wait(20)
            return run(request)

        monkeypatch.setattr(Request, "run", run_or_fail)


class Machine:
    """Two boards that are one CPU."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self.engines: dict[str, list[Engine]] = {"left": [], "right": []}

    def start(self, device: str) -> Engine:
        engine = Engine.open(self._bundle, n_requests=2)
        self.engines[device].append(engine)
        return engine

    def requests(self, device: str) -> set[Request]:
        return {slot._request for slot in self.engines[device][-1]._slots}


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Iterator[Poison]:
    poison = Poison(monkeypatch)
    yield poison
    poison.let_go.set()


@pytest.fixture
def machine(bundle: Bundle) -> Machine:
    return Machine(bundle)


@pytest.fixture
def told() -> Noticed:
    return Noticed()


@pytest.fixture
def pool(machine: Machine, told: Noticed, poison: Poison) -> Iterator[EnginePool]:
    with structlog.testing.capture_logs():
        pool = EnginePool.open(("left", "right"), machine.start, problems=told, patience=PATIENCE)
        wait_until(lambda: pool.device == "left+right")
        yield pool
        poison.let_go.set()
        pool.close()


def show(pool: EnginePool, answers: Answers, *, n: int, begin: int = 0) -> None:
    """Submit frames whose colour and place their number gives."""
    for number in range(begin, begin + n):
        shown = frame((LABELS[number % 3], number % 8, number // 8 % 8))
        wait_until(partial(pool.submit, shown, partial(answers.note, number)))


def check(answers: Answers) -> int:
    """Return how many frames were judged; each as it should be."""
    assert answers.n_each == {1}
    n_judged = 0
    for number, (answer,) in answers.by_number.items():
        if isinstance(answer, Detections):
            n_judged += 1
            assert answer.labels.tolist() == [number % 3]
            middle = (answer.xyxy[0, :2] + answer.xyxy[0, 2:]) / 2
            cell = np.array([number % 8, number // 8 % 8])
            assert np.abs(middle - (cell * 8 + 4)).max() <= 4.0
    return n_judged


def test_both_work_and_answer_for_their_own_frames(pool: EnginePool) -> None:
    answers = Answers()
    show(pool, answers, n=300)
    pool.wait()
    assert check(answers) == 300


def test_a_poisoned_one_costs_a_few_frames_and_comes_back(
    pool: EnginePool, machine: Machine, poison: Poison, told: Noticed
) -> None:
    answers = Answers()
    show(pool, answers, n=50)
    poison.poisoned |= machine.requests("left")
    show(pool, answers, n=200, begin=50)
    wait_until(lambda: "device.left" in told.ever)
    wait_until(lambda: pool.device == "left+right")
    show(pool, answers, n=50, begin=250)
    pool.wait()
    # Three in a row end it. A request is free before its answer is told, so that a few more frames
    # may be on their way to it by then.
    n_failed = len(answers.failures)
    assert PATIENCE.n_failures <= n_failed <= 3 * PATIENCE.n_failures
    assert all("the device was lost" in failure for failure in answers.failures)
    assert check(answers) == 300 - n_failed
    assert not told.open
    assert [len(engines) for engines in machine.engines.values()] == [2, 1]


def test_one_that_hangs_is_answered_for_and_never_twice(
    pool: EnginePool, machine: Machine, poison: Poison
) -> None:
    answers = Answers()
    poison.hanging |= machine.requests("left")
    show(pool, answers, n=200)
    pool.wait()
    assert answers.failures == ["left failed: it has not answered for 1 s"] * 2
    poison.let_go.set()
    wait_until(lambda: machine.engines["left"][0]._is_closed)
    show(pool, answers, n=50, begin=200)
    pool.wait()
    assert check(answers) == 248
