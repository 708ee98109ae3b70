"""What OpenVINO reads stays alive and unchanged until it has answered.

Memory that is lent to it and freed too early is read all the same, and the answers are those of
another picture, silently. So frames here live as briefly as they can, and whatever they leave is
written over at once.
"""

import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial

import numpy as np
import pytest

from processing.inference.bundle import Bundle
from processing.inference.detector import Detector, Embedding
from processing.inference.engine import Engine
from processing.inference.pool import EnginePool
from processing.media.colour import frame_from_bgr
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from tests.edge_agent.entries import Noticed
from tests.processing.inference.fake_machine import Answers
from tests.processing.tiny_bundle import AT, LABELS, picture


def shown(number: int) -> Frame:
    """Return a new frame with one patch, at one of four sizes, so that buffers are made anew."""
    cell = (8, 12, 16, 20)[number % 4]
    place = (LABELS[number % 3], number % 8, number // 8 % 8)
    side = 8 * cell
    return frame_from_bgr(picture(place, width=side, height=side, cell=cell), captured_at=AT)


@contextmanager
def litter() -> Iterator[None]:
    """Collect and overwrite freed memory as fast as can be, inside the block."""
    stop = threading.Event()

    def run() -> None:
        dice = np.random.default_rng(3)
        while not stop.wait(0.002):
            kept = [dice.integers(0, 255, (side, side), np.uint8) for side in (32, 64, 96, 128)]
            del kept
            gc.collect(0)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def expected(number: int) -> tuple[int, tuple[float, float]]:
    """Return label and middle, in pixels, of the patch of frame `number`."""
    cell = (8, 12, 16, 20)[number % 4]
    return number % 3, ((number % 8 + 0.5) * cell, (number // 8 % 8 + 0.5) * cell)


def check(number: int, answer: Detections) -> None:
    label, middle = expected(number)
    best = int(answer.scores.argmax())
    assert int(answer.labels[best]) == label, number
    found = (answer.xyxy[best, :2] + answer.xyxy[best, 2:]) / 2
    assert np.abs(found - middle).max() <= 0.6 * (8, 12, 16, 20)[number % 4], number


@pytest.mark.parametrize("kind", ["engine", "pool"])
def test_many_frames_in_flight_are_answered_as_themselves(
    bundle: Bundle, kind: str, soaked: Callable[[int], int]
) -> None:
    def start(_device: str) -> Engine:
        return Engine.open(bundle, n_requests=6)

    n = soaked(20_000)
    detector: Detector = (
        start("CPU")
        if kind == "engine"
        else EnginePool.open(("left", "right"), start, problems=Noticed())
    )
    answers = Answers()
    with closing(detector), litter():
        for number in range(n):
            # Nobody else keeps the frame.
            while not _submit(detector, number, answers):
                time.sleep(0.001)
        detector.wait()
    assert len(answers.by_number) == n
    for number, (answer,) in answers.by_number.items():
        assert isinstance(answer, Detections)
        check(number, answer)


def _submit(detector: Detector, number: int, answers: Answers) -> bool:
    return detector.submit(shown(number), partial(answers.note, number))


def test_embeddings_of_many_threads_are_those_of_their_frames(bundle: Bundle) -> None:
    found: dict[int, Embedding | None] = {}

    def embed(engine: Engine, numbers: range) -> None:
        for number in numbers:
            found[number] = engine.embed(shown(number))

    with closing(Engine.open(bundle, n_requests=3)) as engine, litter():
        threads = [
            threading.Thread(target=embed, args=(engine, range(first, 240, 4)))
            for first in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # An answer is a copy: what the next frame leaves in the engine does not change it.
        engine.embed(shown(0))
    assert len(found) == 240
    for number, embedding in found.items():
        assert embedding is not None
        assert int(embedding.argmax()) == number % 3
