"""One frame in pieces: answered in any order, told once, and as a whole or not at all."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.duty import Network
from edge_agent.inspection import Inspection
from processing.inference.detector import InferenceFailed
from processing.inference.fake import FakeEngine
from processing.pipeline.tiling import crops
from processing.vision.detections import Detections
from processing.wire.camera import Region, Tiling
from tests.edge_agent.entries import BUNDLE
from tests.processing.pipeline.made_scenes import frame_of

N_PIECES = 5
"""Four, and the whole."""


def inspection() -> Inspection:
    frame = frame_of(np.full((120, 160), 90, np.uint8))
    pieces = crops(160, 120, Region(), Tiling(columns=2, rows=2))
    assert len(pieces) == N_PIECES
    return Inspection(frame, pieces, Network(FakeEngine(), BUNDLE, ("person",)), Region())


def begin(inspection: Inspection, n: int) -> None:
    for _ in range(n):
        inspection.next_piece()
        inspection.n_begun += 1


@given(order=st.permutations(range(N_PIECES)))
def test_only_the_last_answer_completes_it(order: Sequence[int]) -> None:
    inspected = inspection()
    begin(inspected, N_PIECES)
    told = [inspected.answer(number, Detections.empty()) for number in order]
    assert told == [False] * (N_PIECES - 1) + [True]
    assert inspected.is_answered
    assert isinstance(inspected.verdict(), Detections)


@given(failed=st.sets(st.integers(0, N_PIECES - 1), min_size=1))
def test_one_piece_that_fails_fails_the_frame(failed: set[int]) -> None:
    inspected = inspection()
    begin(inspected, N_PIECES)
    for number in range(N_PIECES):
        answer = InferenceFailed(f"piece {number}") if number in failed else Detections.empty()
        inspected.answer(number, answer)
    assert str(inspected.verdict()) == f"piece {min(failed)}"


@pytest.mark.parametrize("n_answered", [0, 1, 2])
def test_one_that_is_given_up_waits_for_the_pieces_that_were_begun(n_answered: int) -> None:
    inspected = inspection()
    begin(inspected, 2)
    for number in range(n_answered):
        inspected.answer(number, Detections.empty())
    assert inspected.give_up("enough") == (n_answered == 2)
    assert inspected.is_begun
    told = [inspected.answer(number, Detections.empty()) for number in range(n_answered, 2)]
    assert told == [False, True][n_answered:]
    assert str(inspected.verdict()) == "enough"


def test_one_that_is_begun_wholly_cannot_be_given_up() -> None:
    inspected = inspection()
    begin(inspected, N_PIECES)
    assert not inspected.give_up("enough")
    assert not inspected.is_answered
