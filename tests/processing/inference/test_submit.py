"""Many frames at once: every answer belongs to its frame, and nobody ever waits in a queue."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import structlog
from numpy.typing import NDArray

from processing.inference.bundle import Bundle
from processing.inference.detector import InferenceFailed
from processing.inference.engine import Engine
from processing.inference.network import Request, RuntimeRefused
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from tests.processing.tiny_bundle import LABELS, frame

Answer = Detections | InferenceFailed


def scene(number: int) -> Frame:
    """Return a frame that no other number below 512 has."""
    columns = (number % 8, number // 8 % 8)
    return frame((LABELS[number % 3], columns[0], 1), (LABELS[number // 64 % 3], columns[1], 5))


def submit_patiently(engine: Engine, shown: Frame, on_done: Callable[[Answer], None]) -> None:
    while not engine.submit(shown, on_done):
        engine.wait()


def test_it_works(engine: Engine) -> None:
    answers: list[Answer] = []
    assert engine.submit(frame(("red", 1, 1)), answers.append)
    engine.wait()
    (answer,) = answers
    assert isinstance(answer, Detections)
    assert answer.labels.tolist() == [LABELS.index("red")]


def test_every_answer_belongs_to_its_frame(bundle: Bundle) -> None:
    """Guards against reading a frame's memory after it is gone, which OpenVINO does if let."""
    engine = Engine.open(bundle, n_requests=4)
    answers: dict[int, Answer] = {}
    for number in range(300):
        # The frame is freed as soon as the engine lets go of it.
        submit_patiently(engine, scene(number), partial(answers.__setitem__, number))
    engine.wait()
    assert len(answers) == 300
    for number, answer in answers.items():
        expected = engine.detect(scene(number))
        assert isinstance(answer, Detections)
        np.testing.assert_array_equal(answer.labels, expected.labels)
        np.testing.assert_array_equal(answer.xyxy, expected.xyxy)
    engine.close()


def test_it_says_no_when_all_requests_are_busy(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go, run = threading.Event(), Request.run

    def slowly(request: Request) -> list[NDArray[np.float32]]:
        let_go.wait(10)
        return run(request)

    monkeypatch.setattr(Request, "run", slowly)
    for _ in range(engine.n_requests):
        assert engine.submit(frame(), lambda answer: None)
    assert not engine.submit(frame(), lambda answer: None)
    let_go.set()
    engine.wait()
    assert engine.submit(frame(), lambda answer: None)


def test_whoever_hears_an_answer_may_submit_the_next_frame_at_once(bundle: Bundle) -> None:
    engine = Engine.open(bundle, n_requests=1)
    was_taken: list[bool] = []

    def go_on(_answer: Answer) -> None:
        if len(was_taken) < 20:
            was_taken.append(engine.submit(frame(), go_on))

    assert engine.submit(frame(), go_on)
    engine.wait()
    assert was_taken == [True] * 20
    engine.close()


def test_many_threads_share_it(engine: Engine) -> None:
    scenes = [scene(number) for number in range(64)]
    expected = [engine.detect(shown).xyxy for shown in scenes]
    with ThreadPoolExecutor(8) as threads:
        found = [answer.xyxy for answer in threads.map(engine.detect, scenes)]
    for boxes, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(boxes, wanted)


def test_a_failure_is_an_answer_and_costs_one_frame(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[Answer] = []

    def fail(_self: Request) -> list[np.ndarray]:
        raise RuntimeRefused(RuntimeError("Exception from somewhere:\nthe device is on fire"))

    with monkeypatch.context() as patched:
        patched.setattr(Request, "run", fail)
        for _ in range(5):
            submit_patiently(engine, frame(), answers.append)
        engine.wait()
        with pytest.raises(InferenceFailed, match="on fire"):
            engine.detect(frame())
    assert [str(answer) for answer in answers] == ["the device is on fire"] * 5
    assert len(engine.detect(frame(("red", 1, 1)))) == 1


def test_a_callback_that_raises_costs_no_request(engine: Engine) -> None:
    def stumble(_answer: Answer) -> None:
        raise ValueError("the caller's mistake")

    with structlog.testing.capture_logs() as logs:
        for _ in range(2 * engine.n_requests):
            submit_patiently(engine, frame(), stumble)
        engine.wait()
    assert {entry["event"] for entry in logs} == {"engine.callback_failed"}
    assert len(engine.detect(frame(("red", 1, 1)))) == 1


def test_closing_answers_what_was_accepted(bundle: Bundle) -> None:
    engine = Engine.open(bundle, n_requests=3)
    answers: list[Answer] = []
    n_accepted = sum(engine.submit(frame(), answers.append) for _ in range(3))
    engine.close()
    assert len(answers) == n_accepted == 3


def test_closing_wakes_who_waits_for_a_request(bundle: Bundle) -> None:
    engine = Engine.open(bundle, n_requests=1)
    busy, let_go = threading.Event(), threading.Event()

    def hold(_answer: Answer) -> None:
        busy.set()
        let_go.wait(10)

    engine.submit(frame(), hold)
    busy.wait(10)
    with ThreadPoolExecutor(3) as threads:
        waiting = [threads.submit(engine.detect, frame()) for _ in range(2)]
        closing = threads.submit(engine.close)
        let_go.set()
        closing.result(10)
        for future in waiting:
            assert future.exception(10) is None or isinstance(future.exception(10), InferenceFailed)
