"""The small parts of overflow: doubt, order, deadlines, the breaker, reading an answer."""

import queue
import threading
import time
from types import SimpleNamespace
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_agent.duty import Network
from edge_agent.inspection import Inspection
from edge_agent.line import Line
from edge_agent.overflow import breaker as breaker_module
from edge_agent.overflow import cloud as cloud_module
from edge_agent.overflow import exchange as exchange_module
from edge_agent.overflow.access import AccessDesk
from edge_agent.overflow.breaker import Breaker
from edge_agent.overflow.deadlines import Deadlines
from edge_agent.overflow.policy import is_in_doubt, why_never
from edge_agent.overflow.reading import read_judged
from processing.inference.fake import FakeEngine
from processing.pipeline.tiling import Crop, crops
from processing.vision.detections import Detections
from processing.wire.camera import DesiredCamera, OverflowPolicy, Privacy, Region, Tiling
from processing.wire.messages import BundleState, OverflowAccess
from processing.wire.tier import FoundThing, Judged
from tests.edge_agent.entries import BUNDLE, wait_until
from tests.edge_agent.overflow.fake_tier import VERSION, found
from tests.processing.pipeline.made_scenes import after, frame_of

LABELS = ("person", "car")
CAMERA = DesiredCamera(
    camera_id=UUID(int=1),
    name="Gate",
    source="played:",
    overflow=OverflowPolicy(mode="saturated"),
)


def detections(*scores: float, label: int = 0) -> Detections:
    n = len(scores)
    return Detections(
        np.zeros((n, 4), np.float32), np.array(scores, np.float32), np.full(n, label, np.int32)
    )


# ---------------------------------------------------------------- policy


def test_doubt_lies_between_sure_and_surely_not() -> None:
    assert is_in_doubt(detections(0.9, 0.3), CAMERA, LABELS)
    assert not is_in_doubt(detections(0.9, 0.1), CAMERA, LABELS)
    assert not is_in_doubt(Detections.empty(), CAMERA, LABELS)


def test_nobody_doubts_what_nobody_looks_for() -> None:
    cars = replace(CAMERA, labels=("car",))
    assert not is_in_doubt(detections(0.3, label=0), cars, LABELS)
    assert is_in_doubt(detections(0.3, label=1), cars, LABELS)


def test_a_camera_that_hides_faces_keeps_its_frames() -> None:
    assert why_never(CAMERA) == ""
    assert "faces" in why_never(replace(CAMERA, privacy=Privacy(hides_faces=True)))
    assert "off" in why_never(replace(CAMERA, overflow=OverflowPolicy()))


# ---------------------------------------------------------------- order


def inspection(seconds: float) -> Inspection:
    frame = frame_of(np.full((32, 32), 90, np.uint8), after(seconds))
    pieces = crops(32, 32, Region(), Tiling())
    return Inspection(frame, pieces, Network(FakeEngine(), BUNDLE, LABELS), Region())


@given(order=st.permutations(range(6)))
def test_whoever_comes_late_stands_where_it_belongs(order: list[int]) -> None:
    line = Line()
    assert all(line.insert(inspection(n)) for n in order)
    left = [line.leave().frame.captured_at for _ in order]
    assert left == [after(n) for n in range(6)]


def test_whose_place_has_left_comes_too_late() -> None:
    line = Line()
    line.append(inspection(2))
    line.leave()
    assert not line.insert(inspection(1))
    assert line.insert(inspection(3))
    assert len(line) == 1


# ---------------------------------------------------------------- deadlines


def test_deadlines_are_told_in_order_and_from_a_thread_of_its_own() -> None:
    deadlines, told = Deadlines(), queue.SimpleQueue[tuple[int, str]]()
    now = time.monotonic()
    for number, wait_s in ((3, 0.03), (1, 0.01), (2, 0.02)):
        deadlines.at(
            now + wait_s,
            lambda number=number: told.put((number, threading.current_thread().name)),  # type: ignore[misc]
        )
    assert [told.get(timeout=30) for _ in range(3)] == [(n, "deadlines") for n in (1, 2, 3)]
    deadlines.at(time.monotonic() + 3600, lambda: told.put((4, "")))
    deadlines.close()
    assert told.empty()


# ---------------------------------------------------------------- the breaker


def test_it_opens_at_once_and_closes_when_the_tier_is_well() -> None:
    breaker = Breaker()
    assert breaker.why_not() == ""
    breaker.fail("it is away")
    assert breaker.why_not() == "it is away"
    is_due = [breaker.is_probe_due]
    breaker.probed(is_well=False)
    is_due.append(breaker.is_probe_due)
    assert is_due == [True, False]
    wait_until(lambda: breaker.is_probe_due)
    breaker.probed(is_well=True)
    assert breaker.why_not() == ""


def test_a_tier_that_fails_again_and_again_is_asked_less_often() -> None:
    breaker = Breaker()
    breaker.fail("once")
    breaker.probed(is_well=True)
    breaker.fail("twice")
    assert not breaker.is_probe_due


def test_a_tier_that_is_back_is_used_within_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    instant = 0.0
    monkeypatch.setattr(breaker_module, "time", SimpleNamespace(monotonic=lambda: instant))
    breaker = Breaker()
    breaker.fail("it is away")
    waits = []
    for _ in range(20):
        asked = instant
        while not breaker.is_probe_due:
            instant += cloud_module._LOOK_S
        instant += exchange_module._PROBE_S  # as long as a probe may take
        breaker.probed(is_well=False)
        waits.append(instant - asked)
    # It may come back just when a probe has missed it: then the next one finds it.
    assert waits[-1] == max(waits) < 5.0


def test_who_is_asked_to_wait_waits() -> None:
    breaker = Breaker()
    breaker.rest(0.05, "too much")
    assert breaker.why_not() == "too much"
    wait_until(lambda: breaker.why_not() == "")


def test_a_shorter_wait_does_not_end_a_longer_one() -> None:
    breaker = Breaker()
    breaker.rest(3600.0, "the day is used up")
    breaker.rest(0.0, "busy")
    assert breaker.why_not() == "the day is used up"


# ---------------------------------------------------------------- access


def test_access_lapses_and_is_given_to_safe_addresses_only() -> None:
    desk = AccessDesk("https://hub.example.org")
    assert desk.ticket() is None
    desk.admit(OverflowAccess(url="http://tier.example.org", token="t", expires_s=60))
    assert desk.ticket() is None
    assert "not encrypted" in desk.why_none()
    desk.admit(OverflowAccess(url="", token="t", expires_s=60, price_per_1000=1.5))
    ticket = desk.ticket()
    assert ticket is not None
    assert (ticket.url, ticket.micros) == ("https://hub.example.org", 1500)
    desk.admit(OverflowAccess(url="https://tier.example.org/", token="t", expires_s=0.01))
    wait_until(lambda: desk.ticket() is None)
    assert "not renewed" in desk.why_none()


@pytest.mark.parametrize("token", ["t\r\nX: y", "t\u00e9"])
def test_a_token_that_is_no_header_is_not_taken(token: str) -> None:
    desk = AccessDesk("https://hub.example.org")
    desk.admit(OverflowAccess(url="", token=token, expires_s=60))
    assert desk.ticket() is None
    assert "token" in desk.why_none()


# ---------------------------------------------------------------- reading an answer


def judged(*things: FoundThing) -> Judged:
    return Judged(
        model="m", version=VERSION, width=32, height=32, detections=things,
        waited_ms=0, decode_ms=0, infer_ms=0,
    )  # fmt: skip


def test_boxes_are_of_the_piece_that_was_sent() -> None:
    read = read_judged(judged(found("car", 1)), Crop(10, 20, 100, 40), LABELS)
    assert read.answered.found.xyxy.tolist() == [[35.0, 30.0, 60.0, 50.0]]
    assert read.answered.found.labels.tolist() == [1]
    assert read.answered.tongue.bundle.hex() == VERSION
    assert read.answered.tongue.numbers is None


def test_another_networks_numbers_are_its_own_again_when_they_are_told() -> None:
    things = (found("car", 7), found("person", 3), found("zebra", 9))
    read = read_judged(judged(*things), Crop(0, 0, 100, 100), LABELS)
    assert read.answered.found.labels.tolist() == [1, 0]
    assert read.n_unknown == 1
    tongue = read.answered.tongue
    assert tongue.tell(read.answered.found).labels.tolist() == [7, 3]
    assert tongue.tell_labels(np.array([0, 1, 5], np.int32)).tolist() == [3, 7]


def test_what_the_judge_has_words_for_is_known_by_our_numbers() -> None:
    words = ("zebra", "car")
    bundle = BundleState(digest=bytes.fromhex(VERSION), name="street", version="1", labels=words)
    known = {bundle.digest: bundle}
    read = read_judged(judged(), Crop(0, 0, 10, 10), LABELS, bundle_of=known.get)
    assert read.answered.known == frozenset({LABELS.index("car")})
    assert read_judged(judged(), Crop(0, 0, 10, 10), LABELS).answered.known is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"box": (0.5, 0.0, 0.2, 1.0)},
        {"box": (0.0, 0.0, float("nan"), 1.0)},
        {"box": (-1.0, 0.0, 1.0, 1.0)},
        {"score": float("inf")},
        {"score": 1.5},
        {"label": -1},
        {"label": 100_000},
    ],
)
def test_what_makes_no_sense_is_left_out(wrong: dict[str, object]) -> None:
    read = read_judged(judged(replace(found(), **wrong), found()), Crop(0, 0, 10, 10), LABELS)
    assert len(read.answered.found) == 1
