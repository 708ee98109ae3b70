"""Backoff, pace and slot: small rules that everything else leans on."""

import random
import threading
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.backoff import Backoff
from edge_agent.logs import without_credentials
from edge_agent.pace import Pace
from edge_agent.slot import Slot
from processing.vision.frame import Frame
from tests.edge_agent.entries import NOW


def frame(n: int) -> Frame:
    grey = np.full((48, 64), 128, np.uint8)
    at = NOW + timedelta(seconds=n)
    return Frame(y=grey, u=grey[:24, :32], v=grey[:24, :32], captured_at=at)


def test_backoff_doubles_up_to_its_cap_and_begins_anew() -> None:
    backoff = Backoff(base_s=0.25, cap_s=30.0, dice=lambda: 1.0)
    waits = [backoff.next_s() for _ in range(10)]
    assert waits == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    backoff.reset()
    assert backoff.next_s() == 0.25


@given(st.integers(0, 2**32))
def test_backoff_is_spread_and_never_nothing(seed: int) -> None:
    backoff = Backoff(base_s=0.25, cap_s=10.0, dice=random.Random(seed).random)
    waits = [backoff.next_s() for _ in range(50)]
    assert all(0.0 < wait <= 10.0 for wait in waits)
    assert len(set(waits)) > 10


@pytest.mark.parametrize(
    ("source_fps", "wanted_fps", "expected"),
    [(25, 10, 100), (30, 10, 100), (10, 10, 100), (15, 10, 100), (5, 10, 50), (25, 25, 250)],
)
def test_pace_thins_out_to_the_rate(source_fps: int, wanted_fps: float, expected: int) -> None:
    pace = Pace(wanted_fps)
    taken = [pace.wants(NOW + timedelta(seconds=n / source_fps)) for n in range(10 * source_fps)]
    assert sum(taken) == pytest.approx(expected, abs=2)


def test_pace_goes_on_after_a_pause_and_after_the_clock_went_back() -> None:
    pace = Pace(1.0)
    assert pace.wants(NOW)
    assert not pace.wants(NOW + timedelta(seconds=0.1))
    assert pace.wants(NOW + timedelta(seconds=100))
    assert not pace.wants(NOW + timedelta(seconds=100.1))
    assert pace.wants(NOW)


def test_a_slot_keeps_the_newest_and_counts_the_rest() -> None:
    dropped: list[None] = []
    slot = Slot(on_dropped=lambda _: dropped.append(None), on_put=lambda: None)
    assert slot.take() is None
    for n in range(3):
        slot.put(frame(n))
    taken = slot.take()
    assert taken is not None
    assert taken.captured_at == frame(2).captured_at
    assert len(dropped) == 2
    slot.put(frame(3))
    slot.give_back(taken)  # a newer one waits
    assert len(dropped) == 3
    newest = slot.take()
    assert newest is not None
    assert newest.captured_at == frame(3).captured_at


def test_a_patient_slot_makes_a_recording_wait_until_its_frame_is_used() -> None:
    dropped: list[None] = []
    slot = Slot(on_dropped=lambda _: dropped.append(None), on_put=lambda: None, is_patient=True)
    slot.put(frame(0))
    taken = slot.take()
    assert taken is not None
    putting = threading.Thread(target=slot.put, args=(frame(1),))
    putting.start()
    slot.give_back(taken)  # the engine was busy
    assert slot.take() is taken
    slot.used()
    putting.join(5)
    assert not putting.is_alive()
    newest = slot.take()
    assert newest is not None
    assert newest.captured_at == frame(1).captured_at
    assert not dropped


def test_nobody_waits_at_a_slot_that_is_closed() -> None:
    slot = Slot(on_dropped=lambda _: None, on_put=lambda: None, is_patient=True)
    slot.put(frame(0))
    putting = threading.Thread(target=slot.put, args=(frame(1),))
    putting.start()
    slot.close()
    putting.join(5)
    assert not putting.is_alive()


def test_logs_hold_no_credentials() -> None:
    text = "rtsp://admin:p@ss@10.0.0.7/main, http://x:y@z/ but mail@example.org"
    assert (
        without_credentials(text) == "rtsp://***@10.0.0.7/main, http://***@z/ but mail@example.org"
    )
