"""Pictures are dated by the camera's clock on ours: what the network adds is not in it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.sources.stream_clock import Increasing, StreamClock

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FRAME_S = 0.04
delays = st.lists(st.floats(0.0, 2.0), min_size=2, max_size=400)
origins = st.floats(-1e6, 1e6)


def test_it_works() -> None:
    clock = StreamClock()
    for n, delay in enumerate([0.5, 0.01, 0.3, 0.01]):
        at_s = n * FRAME_S
        clock.arrived(1000.0 + at_s, at_s + delay)
    # The second packet was the least late, so the third is 0.29 s late, the fourth not at all.
    assert clock.age_s(1000.0 + 2 * FRAME_S, 2 * FRAME_S + 0.3) == pytest.approx(0.29)
    assert clock.age_s(1000.0 + 3 * FRAME_S, 3 * FRAME_S + 0.01) == pytest.approx(0.0)


@given(delays, origins)
def test_once_a_packet_came_straight_jitter_is_not_in_the_instants(
    delays: list[float], origin: float
) -> None:
    clock = StreamClock()
    clock.arrived(origin, 0.0)  # this one was not late at all
    now = 0.0
    for n, delay in enumerate(delays[:200], start=1):
        filmed = n * FRAME_S
        now = max(now, filmed + delay)
        clock.arrived(filmed + origin, now)
        assert now - clock.age_s(filmed + origin, now) == pytest.approx(filmed, abs=1e-3)


@given(delays, origins, st.floats(-1.0, 1.0))
def test_nothing_is_dated_into_the_future_or_more_than_a_stall_back(
    delays: list[float], origin: float, drift: float
) -> None:
    clock = StreamClock()
    now = 0.0
    for n, delay in enumerate(delays):
        at_s = origin + n * FRAME_S * (1.0 + drift)
        now = max(now, n * FRAME_S + delay)
        clock.arrived(at_s, now)
        assert 0.0 <= clock.age_s(at_s, now) <= 5.0


@given(st.lists(st.sampled_from([-86_400.0, -3.0, 3.0, 86_400.0]), min_size=1, max_size=5))
def test_a_clock_of_the_camera_that_is_set_is_followed_at_once(jumps: list[float]) -> None:
    clock = StreamClock()
    now, at_s = 0.0, 0.0
    for jump in jumps:
        for _ in range(50):
            now, at_s = now + FRAME_S, at_s + FRAME_S
            clock.arrived(at_s, now)
            assert clock.age_s(at_s, now) == pytest.approx(0.0, abs=1e-3)
        at_s += jump


def test_quartz_that_drifts_is_followed_for_a_day() -> None:
    clock = StreamClock()
    worst = 0.0
    for n in range(0, 86_400 * 2, 7):  # one packet in seven of 2 a second
        now = n * 0.5
        at_s = now * 0.9999  # 100 ppm: 8.6 s a day
        clock.arrived(at_s, now)
        worst = max(worst, clock.age_s(at_s, now))
    assert worst < 0.002


def test_a_route_that_becomes_longer_is_believed_after_a_while() -> None:
    clock, now = StreamClock(), 0.0
    for n in range(1000):
        now = n * FRAME_S
        clock.arrived(now - (0.3 if n > 500 else 0.0), now)
    assert clock.age_s(now - 0.3, now) == pytest.approx(0.0)


@pytest.mark.parametrize("interval_s", [0.04, 0.2, 1.0])
def test_a_packet_held_until_the_next_one_came_is_not_dated_by_that(interval_s: float) -> None:
    clock = StreamClock()
    for n in range(10):
        filmed = n * interval_s
        now = filmed + interval_s + 0.01  # the next one begins to come, 0.01 s after it was filmed
        clock.let_go(500.0 + filmed, now)
        if n:
            assert now - clock.age_s(500.0 + filmed, now) == pytest.approx(filmed + 0.01)


def test_pictures_sent_out_of_their_order_keep_their_instants() -> None:
    clock = StreamClock()
    shown = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8]  # two B pictures after each P
    for n, frame in enumerate(shown):
        clock.arrived(frame * FRAME_S, n * FRAME_S)
    now = len(shown) * FRAME_S
    instants = [now - clock.age_s(frame * FRAME_S, now) for frame in range(10)]
    steps = [after - before for before, after in pairwise(instants)]
    assert steps == pytest.approx([FRAME_S] * 9)


@given(st.lists(st.floats(-0.9, 10.0), max_size=100))
def test_instants_increase_strictly_however_the_clock_slips(steps: list[float]) -> None:
    increasing, at, before = Increasing(), NOW, NOW - timedelta(days=1)
    for step in steps:
        at = max(at + timedelta(seconds=step), before - timedelta(seconds=0.9))
        told = increasing.next(at)
        assert told > before
        before = told


def test_a_wall_clock_that_is_set_right_is_believed() -> None:
    increasing = Increasing()
    tomorrow = NOW + timedelta(days=1)
    assert increasing.next(NOW) == NOW
    assert increasing.next(tomorrow) == tomorrow
    assert increasing.next(NOW) == NOW
