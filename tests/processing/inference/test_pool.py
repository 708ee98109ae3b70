"""Several devices as one: whoever is free takes the frame, and no death costs a second answer."""

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest
import structlog

from processing.inference.bundle import BundleUnfit
from processing.inference.detector import Detector, InferenceFailed
from processing.inference.fake import FakeEngine
from processing.inference.pool import EnginePool
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from tests.edge_agent.entries import Noticed, wait_until
from tests.processing.inference.fake_machine import SHORT, Answers, FakeMachine
from tests.processing.tiny_bundle import frame

SHOWN = frame()


class Rig:
    """A pool on a fake machine, and what it tells."""

    def __init__(self, machine: FakeMachine) -> None:
        self.machine = machine
        self.told = Noticed()
        self.answers = Answers()
        self.n_shown = 0
        self.pools: list[EnginePool] = []

    def open(self, *devices: str) -> EnginePool:
        pool = EnginePool.open(devices, self.machine.start, problems=self.told, patience=SHORT)
        self.pools.append(pool)
        return pool

    def show(self, pool: EnginePool) -> bool:
        is_taken = pool.submit(SHOWN, partial(self.answers.note, self.n_shown))
        self.n_shown += is_taken
        return is_taken

    def show_patiently(self, pool: EnginePool) -> None:
        wait_until(lambda: self.show(pool))


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig(FakeMachine())
    with structlog.testing.capture_logs():
        yield rig
        for engine in rig.machine.engines.values():
            engine.release()
        for event in rig.machine.slow.values():
            event.set()
        for pool in rig.pools:
            pool.close()


def test_it_works(rig: Rig) -> None:
    pool = rig.open("CPU")
    assert pool.device == "CPU"
    assert len(pool.detect(SHOWN)) == 0
    assert pool.embed(SHOWN) is not None
    assert rig.show(pool)
    pool.wait()
    assert rig.answers.n_each == {1}
    assert rig.told.ever == []


def test_it_is_a_detector(rig: Rig) -> None:
    detector: Detector = rig.open("CPU")
    assert detector.device == "CPU"


def test_who_is_busy_leaves_the_frame_to_the_next(rig: Rig) -> None:
    pool = rig.open("GPU", "CPU")
    wait_until(lambda: pool.device == "GPU+CPU")
    gpu, cpu = rig.machine.engines["GPU"], rig.machine.engines["CPU"]
    gpu.frames.clear()
    cpu.frames.clear()
    for engine in (gpu, cpu):
        engine.hold()
    assert [rig.show(pool) for _ in range(5)] == [True] * 4 + [False]
    assert (len(gpu.frames), len(cpu.frames)) == (2, 2)
    gpu.release()
    cpu.release()
    pool.wait()
    assert rig.answers.n_each == {1}


def test_a_device_whose_frames_fail_is_taken_out_and_another_does_its_work(rig: Rig) -> None:
    pool = rig.open("GPU", "CPU")
    wait_until(lambda: pool.device == "GPU+CPU")
    rig.machine.missing.add("GPU")
    rig.machine.engines["GPU"].break_down("out of resources")
    for _ in range(20):
        rig.show_patiently(pool)
    pool.wait()
    assert rig.answers.failures == ["out of resources"] * SHORT.n_failures
    wait_until(lambda: "device.GPU" in rig.told.open)
    assert pool.device == "CPU"
    wait_until(lambda: rig.told.open["device.GPU"].startswith("GPU failed: there is no GPU"))
    assert rig.told.open["device.GPU"].endswith("; the CPU does its work")
    assert rig.answers.n_each == {1}


def test_one_failure_now_and_then_is_no_reason(rig: Rig) -> None:
    pool = rig.open("GPU")
    bad = InferenceFailed("a bad moment")
    rig.machine.engines["GPU"]._script.extend([bad, bad, Detections.empty()] * 10)
    for _ in range(30):
        rig.show_patiently(pool)
    pool.wait()
    assert len(rig.answers.failures) == 20
    assert rig.machine.n_starts == {"GPU": 1}


def test_the_last_resort_comes_when_all_have_died_and_goes_when_one_is_back(rig: Rig) -> None:
    pool = rig.open("GPU")
    rig.machine.missing.add("GPU")
    rig.machine.engines["GPU"].break_down("it fell off the bus")
    for _ in range(SHORT.n_failures):
        rig.show_patiently(pool)
    wait_until(lambda: pool.device == "CPU")
    spare = rig.machine.engines["CPU"]
    spare.hold()
    rig.show_patiently(pool)
    rig.machine.missing.clear()
    wait_until(lambda: pool.device == "GPU")
    wait_until(lambda: "device.GPU" not in rig.told.open)
    assert not spare._is_closed  # it has not answered yet
    spare.release()
    wait_until(lambda: spare._is_closed)
    rig.show_patiently(pool)
    pool.wait()
    assert rig.answers.n_each == {1}
    assert len(rig.answers.failures) == SHORT.n_failures


def test_a_device_that_hangs_is_answered_for_and_its_late_answers_are_not_heard(rig: Rig) -> None:
    pool = rig.open("NPU")
    hung = rig.machine.engines["NPU"]
    rig.machine.missing.add("NPU")
    hung.hold()
    for _ in range(2):
        rig.show_patiently(pool)
    assert not rig.show(pool)  # the other frames wait outside, and are not lost with it
    wait_until(lambda: pool.device == "CPU")
    pool.wait()
    assert rig.answers.failures == ["NPU failed: it has not answered for 0.2 s"] * 2
    wait_until(lambda: hung._is_closed)  # which let its answers go at last
    rig.show_patiently(pool)
    pool.wait()
    assert len(rig.answers.by_number) == 3
    assert rig.answers.n_each == {1}


def test_a_cpu_that_dies_alone_is_started_again_at_once(rig: Rig) -> None:
    pool = rig.open("CPU")
    rig.machine.engines["CPU"].break_down("the wrong moment")
    for _ in range(SHORT.n_failures):
        rig.show_patiently(pool)
    wait_until(lambda: rig.machine.n_starts["CPU"] == 2 and pool.device == "CPU")
    assert len(pool.detect(SHOWN)) == 0
    wait_until(lambda: not rig.told.open)


def test_a_device_that_fails_again_and_again_is_tried_ever_more_seldom() -> None:
    waits = [SHORT.until_retry_s(n_tries) for n_tries in (1, 2, 3, 1000)]
    assert waits == [0.05, 0.1, 0.1, 0.1]


def test_a_device_that_cannot_be_started_is_replaced_from_the_beginning(rig: Rig) -> None:
    rig.machine.missing.add("GPU")
    pool = rig.open("GPU")
    assert pool.device == "CPU"
    wait_until(lambda: rig.told.open)
    assert rig.told.open == {"device.GPU": "GPU failed: there is no GPU; the CPU does its work"}


def test_a_device_that_starts_slowly_keeps_nobody_waiting(rig: Rig) -> None:
    rig.machine.slow["GPU"] = threading.Event()
    pool = rig.open("GPU", "CPU")
    assert pool.device == "CPU"
    rig.show_patiently(pool)
    rig.machine.slow["GPU"].set()
    wait_until(lambda: pool.device == "GPU+CPU")
    assert rig.told.ever == []


def test_where_nothing_can_be_started_it_says_why(rig: Rig) -> None:
    rig.machine.missing |= {"GPU", "CPU"}
    with pytest.raises(BundleUnfit, match="there is no GPU"):
        rig.open("GPU", "CPU")
    assert rig.machine.n_starts == {"GPU": 1, "CPU": 1}
    assert rig.told.ever == []  # that is for whoever asked


def test_a_slow_network_is_given_its_time(rig: Rig) -> None:
    class Slow(FakeEngine):
        def detect(self, frame: Frame) -> Detections:
            time.sleep(0.02)
            return super().detect(frame)

    engine = Slow(device="CPU")
    patience = replace(SHORT, hang_times=1000.0)
    pool = EnginePool.open(("CPU",), lambda _device: engine, problems=rig.told, patience=patience)
    rig.pools.append(pool)
    engine.hold()
    rig.show_patiently(pool)
    time.sleep(0.3)  # longer than any other network has
    assert rig.answers.by_number == {}
    engine.release()
    pool.wait()
    assert rig.answers.failures == []


def test_closing_answers_what_was_accepted_and_refuses_the_rest(rig: Rig) -> None:
    pool = rig.open("GPU")
    engine = rig.machine.engines["GPU"]
    engine.hold()
    assert rig.show(pool)
    releasing = threading.Timer(0.05, engine.release)
    releasing.start()
    pool.close()
    releasing.join()
    assert rig.answers.n_each == {1}
    assert rig.answers.failures == []
    assert not rig.show(pool)
    with pytest.raises(InferenceFailed, match="closed"):
        pool.detect(SHOWN)
    with pytest.raises(InferenceFailed, match="closed"):
        pool.embed(SHOWN)
    assert engine._is_closed


def test_closing_does_not_wait_for_a_device_that_hangs(rig: Rig) -> None:
    pool = rig.open("GPU")
    rig.machine.engines["GPU"].hold()
    rig.show(pool)
    pool.close()
    assert rig.answers.n_each == {1}
    assert rig.answers.failures


def test_an_engine_that_is_ready_too_late_is_closed(rig: Rig) -> None:
    rig.machine.slow["GPU"] = threading.Event()
    pool = rig.open("GPU", "CPU")
    pool.close()
    rig.machine.slow["GPU"].set()
    wait_until(lambda: "GPU" in rig.machine.engines and rig.machine.engines["GPU"]._is_closed)


def test_a_callback_that_raises_costs_nothing(rig: Rig) -> None:
    pool = rig.open("GPU")

    def stumble(_answer: Detections | InferenceFailed) -> None:
        raise ValueError("the caller's mistake")

    for _ in range(5):
        assert pool.submit(SHOWN, stumble)
    pool.wait()
    assert rig.show(pool)


def test_every_frame_is_answered_once_whatever_happens_to_the_devices(rig: Rig) -> None:
    """Kill, hang, free and let come back, at random, under load from four threads."""
    dice = random.Random(7)
    pool = rig.open("GPU", "NPU", "CPU")
    stop, lock, n_taken = threading.Event(), threading.Lock(), 0

    def load(shown: Frame) -> None:
        nonlocal n_taken
        while not stop.is_set():
            with lock:
                number = n_taken
                n_taken += 1
            while not stop.is_set():
                if pool.submit(shown, partial(rig.answers.note, number)):
                    break
                threading.Event().wait(0.001)
            else:
                with lock:
                    rig.answers.note(number, InferenceFailed("not shown"))

    threads = [threading.Thread(target=load, args=(SHOWN,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(40):
        engine = rig.machine.engines[dice.choice(("GPU", "NPU", "CPU"))]
        dice.choice((engine.hold, partial(engine.break_down, "dead"), engine.release))()
        threading.Event().wait(0.02)
    stop.set()
    for thread in threads:
        thread.join()
    pool.wait()
    assert len(rig.answers.by_number) == n_taken > 100
    assert rig.answers.n_each == {1}
    assert sum(rig.machine.n_starts.values()) > 5
