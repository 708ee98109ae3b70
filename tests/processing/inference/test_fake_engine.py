"""The fake keeps the real engine's promises, so that tests with it mean something."""

import numpy as np
import pytest

from processing.inference.detector import Detector, InferenceFailed
from processing.inference.engine import Engine
from processing.inference.fake import FakeEngine
from processing.vision.detections import Detections
from tests.processing.tiny_bundle import frame

ONE = Detections(
    np.array([[1, 2, 3, 4]], np.float32), np.array([0.5], np.float32), np.array([0], np.int32)
)


def test_it_works() -> None:
    engine = FakeEngine([ONE])
    shown = frame()
    assert len(engine.detect(shown)) == 1
    assert len(engine.detect(shown)) == 0
    assert engine.frames == [shown, shown]


def test_both_are_detectors(engine: Engine) -> None:
    detectors: list[Detector] = [engine, FakeEngine()]
    assert detectors


def test_a_scripted_failure_is_raised_or_answered() -> None:
    failure = InferenceFailed("told to")
    engine = FakeEngine([failure, failure])
    with pytest.raises(InferenceFailed, match="told to"):
        engine.detect(frame())
    answers: list[Detections | InferenceFailed] = []
    assert engine.submit(frame(), answers.append)
    assert answers == [failure]


def test_held_answers_make_it_busy_until_they_are_released() -> None:
    engine = FakeEngine([ONE, ONE], n_requests=2)
    answers: list[Detections | InferenceFailed] = []
    engine.hold()
    assert engine.submit(frame(), answers.append)
    assert engine.submit(frame(), answers.append)
    assert not engine.submit(frame(), answers.append)
    assert not answers
    engine.release()
    engine.wait()
    assert answers == [ONE, ONE]
    assert engine.submit(frame(), answers.append)


def test_closed_it_refuses() -> None:
    engine = FakeEngine()
    engine.close()
    assert not engine.submit(frame(), lambda answer: None)
    with pytest.raises(InferenceFailed, match="closed"):
        engine.detect(frame())
