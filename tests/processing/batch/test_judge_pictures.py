"""From bytes to boxes, the same wherever it runs; what is no picture says why."""

import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.batch.judging import judge_picture, judge_pictures
from processing.batch.pool import LocalPool, Unread
from processing.batch.shards import run_shard, sum_up
from processing.inference.detector import InferenceFailed
from processing.inference.engine import Engine
from processing.inference.fake import FakeEngine
from processing.vision.detections import Detections
from processing.wire.batch import PictureOutcome
from processing.wire.packed import unpack
from tests.processing.tiny_bundle import LABELS, open_tiny_bundle, picture


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = Engine.open(open_tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny"))
    yield engine
    engine.close()


def png(*patches: tuple[str, int, int]) -> bytes:
    return cv2.imencode(".png", picture(*patches))[1].tobytes()


def names(outcome: PictureOutcome) -> list[str]:
    return sorted(LABELS[found.label] for found in unpack(outcome.found))


def test_it_works(engine: Engine) -> None:
    found = judge_pictures([png(("red", 1, 1)), png(("blue", 3, 3), ("green", 6, 6))], engine,
                           min_score=0.4)  # fmt: skip
    assert [names(outcome) for outcome in found] == [["red"], ["blue", "green"]]
    assert {(outcome.width, outcome.height) for outcome in found} == {(64, 64)}


def test_what_is_below_the_score_is_left_out(engine: Engine) -> None:
    content = png(("red", 1, 1))
    (score,) = (each.score for each in unpack(judge_picture(content, engine, min_score=0).found))
    assert names(judge_picture(content, engine, min_score=score + 0.001)) == []


def test_a_png_is_judged_as_stored(engine: Engine) -> None:
    """As a JPEG is: what its EXIF says of a rotation moves no box."""
    plain = png(("red", 1, 0))
    says = b"II*\0\x08\0\0\0" + struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 0)
    chunk = b"eXIf" + says
    turned = plain[:33] + struct.pack(">I", len(says)) + chunk
    turned += struct.pack(">I", zlib.crc32(chunk)) + plain[33:]
    assert judge_picture(turned, engine, min_score=0.4) == judge_picture(
        plain, engine, min_score=0.4
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"\xff\xd8\xff\xe0",
        png(("red", 1, 1))[:60],
        b"\x89PNG\r\n\x1a\n" + b"\0" * 8 + (2**31 - 1).to_bytes(4) * 2,
        b"\x89PNG\r\n\x1a\n" + b"\0" * 8 + (1).to_bytes(4) + (40_000_000).to_bytes(4),
    ],
    ids=["nothing", "words", "head", "cut", "bomb", "long"],
)
def test_what_is_no_picture_says_why(engine: Engine, content: bytes) -> None:
    outcome = judge_picture(content, engine, min_score=0.4)
    assert outcome.error
    assert (outcome.width, outcome.found) == (0, b"")


@given(st.binary(max_size=200), st.integers(0, 200), st.integers(0, 255))
def test_no_bytes_stop_it(engine: Engine, tail: bytes, at: int, value: int) -> None:
    content = bytearray(png(("red", 1, 1)) + tail)
    content[at % len(content)] = value
    outcome = judge_picture(bytes(content), engine, min_score=0.4)
    assert bool(outcome.error) != bool(outcome.width)


def test_what_the_model_cannot_look_at_says_so() -> None:
    engine = FakeEngine([InferenceFailed("it is hot"), Detections.empty()])
    first, second = judge_pictures([png(), png()], engine, min_score=0.4)
    assert "it is hot" in first.error
    assert not second.error


def test_a_pool_keeps_the_order_and_says_what_could_not_be_had(engine: Engine) -> None:
    pictures: list[bytes | Unread] = [png((LABELS[n % 3], n % 8, n // 8)) for n in range(40)]
    pictures[7] = Unread("it is gone")
    with LocalPool(lambda: FakeOf(engine), n_threads=3) as pool:
        found = list(pool.judge(pictures, min_score=0.4))
    assert found[7].error == "it is gone"
    expected = [[LABELS[n % 3]] if n != 7 else [] for n in range(40)]
    assert [names(outcome) for outcome in found] == expected


def test_a_pool_takes_pictures_only_as_there_is_room() -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"no picture"

    with LocalPool(lambda: FakeEngine([]), n_threads=2) as pool:
        judged = pool.judge(endless(), min_score=0.4)
        for _ in range(10):
            next(judged)
        assert taken <= 10 + 2 * 2
        judged.close()


def test_a_detector_that_cannot_be_opened_is_told_to_whoever_wants_it() -> None:
    def refuse() -> FakeEngine:
        raise FileNotFoundError("no bundle")

    with pytest.raises(FileNotFoundError):
        LocalPool(refuse, n_threads=1)


def test_a_shard_that_is_judged_again_keeps_what_was_judged() -> None:
    good = PictureOutcome(8, 8)
    known = [good, PictureOutcome(error="broken"), good]
    with LocalPool(lambda: FakeEngine([]), n_threads=1) as pool:
        again = list(run_shard([png()], pool, min_score=0.4, known=known))
    assert [outcome.error for outcome in again] == ["", "", ""]
    assert (again[0], again[1].width, again[2]) == (good, 64, good)


def test_sums_are_of_all_pictures(engine: Engine) -> None:
    contents = [png(("red", 1, 1), ("red", 5, 5)), b"", png(("blue", 2, 2))]
    sums = sum_up(judge_pictures(contents, engine, min_score=0.4))
    assert (sums.n_done, sums.n_failed, sums.n_found) == (3, 1, 3)
    assert sums.counts == {LABELS.index("red"): 2, LABELS.index("blue"): 1}


def test_a_picture_of_any_shape_has_its_boxes_in_its_own_measure(engine: Engine) -> None:
    wide = np.zeros((64, 128, 3), np.uint8)
    wide[16:32, 48:64] = (0, 0, 255)
    content = cv2.imencode(".png", wide)[1].tobytes()
    (found,) = unpack(judge_picture(content, engine, min_score=0.3).found)
    assert (found.x0 + found.x1) / 2 == pytest.approx(56 / 128, abs=0.03)
    assert (found.y0 + found.y1) / 2 == pytest.approx(24 / 64, abs=0.03)


class FakeOf(FakeEngine):
    """Passes frames on to an engine that others use as well, and outlives it."""

    def __init__(self, engine: Engine) -> None:
        super().__init__([])
        self.detect = engine.detect  # type: ignore[method-assign]
