"""Embeddings come from a thread of their own: nobody waits, and who asks too much is refused."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from edge_agent.embedder import Embedder
from processing.inference.detector import Embedding
from processing.inference.fake import FakeEngine
from processing.media.jpeg import BadPicture
from processing.vision.frame import Frame
from tests.edge_agent.entries import wait_until
from tests.processing.pipeline.made_scenes import frame_of

FRAME = frame_of(np.full((48, 64), 90, np.uint8))


def take() -> Frame:
    return FRAME


def take_nothing() -> Frame:
    raise BadPicture("nothing to see")


class SlowEngine(FakeEngine):
    """Embeds when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may_embed = threading.Event()
        self.is_embedding = threading.Event()

    def embed(self, frame: Frame) -> Embedding:
        self.is_embedding.set()
        assert self.may_embed.wait(20)
        return super().embed(frame)


@pytest.fixture
def embedder() -> Iterator[Embedder]:
    embedder = Embedder()
    yield embedder
    embedder.close(5.0)
    assert not embedder._thread.is_alive()


def test_it_works(embedder: Embedder) -> None:
    told: list[Embedding | None] = []
    assert embedder.ask(FakeEngine(), take, told.append)
    wait_until(lambda: told)
    assert told[0] is not None
    assert told[0].tolist() == FakeEngine().embed(FRAME).tolist()


def test_some_wait_while_another_is_served_and_one_more_is_refused(embedder: Embedder) -> None:
    engine, told = SlowEngine(), list[Embedding | None]()
    assert embedder.ask(engine, take, told.append)
    wait_until(engine.is_embedding.is_set)
    for _ in range(4):
        assert embedder.ask(engine, take, told.append)
    assert not embedder.ask(engine, take, told.append)
    engine.may_embed.set()
    wait_until(lambda: len(told) == 5)


def test_an_engine_that_fails_or_is_closed_does_not_end_it(embedder: Embedder) -> None:
    broken, closed, told = FakeEngine(), FakeEngine(), list[Embedding | None]()
    broken.break_down("out of luck")
    closed.close()
    for engine in (broken, closed, FakeEngine()):
        assert embedder.ask(engine, take, told.append)
    assert embedder.ask(FakeEngine(), take_nothing, told.append)
    wait_until(lambda: len(told) == 4)
    assert [each is None for each in told] == [True, True, False, True]
