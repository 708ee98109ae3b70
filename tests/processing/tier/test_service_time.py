"""What pictures take is learnt from what they took."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.tier.queueing.service_time import WINDOW, Durations, DurationsBySize, ServiceTime


def test_it_works() -> None:
    durations = Durations(1.0)
    assert (durations.mean_s, durations.high_s) == (1.0, 1.0)
    durations.note(0.2)
    assert (durations.mean_s, durations.high_s) == (0.2, 0.2)


def test_a_judge_that_is_too_quick_to_be_timed_has_a_rate() -> None:
    times = ServiceTime()
    times.warm(1, 0.0, turn_s=0.0)
    assert times.turn_s > 0.0
    assert times.forecast_s(3, is_room=False) > 0.0


def test_nearly_all_stay_below_the_high_one() -> None:
    chance, durations = random.Random(1), Durations(0.0)
    n_above = 0
    for number in range(4000):
        took_s = chance.lognormvariate(-4.0, 0.5)
        if number > WINDOW:
            n_above += took_s > durations.high_s
        durations.note(took_s)
    assert 0.08 < n_above / 4000 < 0.13


def test_a_hiccup_is_forgotten_and_a_change_is_learnt() -> None:
    durations = Durations(0.01)
    for took_s in [0.01] * WINDOW + [5.0] * 4 + [0.02] * WINDOW:
        durations.note(took_s)
    assert durations.high_s == 0.02
    assert durations.mean_s == pytest.approx(0.02, rel=0.6)


@given(st.lists(st.floats(1e-4, 10.0), min_size=1, max_size=100))
def test_estimates_lie_within_what_was_seen(all_s: list[float]) -> None:
    durations = Durations(1e9)
    for took_s in all_s:
        durations.note(took_s)
    assert min(all_s) * 0.999 <= durations.mean_s <= max(all_s) * 1.001
    assert durations.high_s in all_s


def test_sizes_are_told_apart_and_the_nearest_stands_in() -> None:
    durations = DurationsBySize(9.0)
    assert durations.of(1000).mean_s == 9.0
    durations.note(1000, 0.001)
    durations.note(1_000_000, 1.0)
    assert durations.of(900).mean_s == 0.001
    assert durations.of(3).mean_s == 0.001
    assert durations.of(4_000_000).mean_s == 1.0


def test_no_more_sizes_are_kept_than_a_number_has_bits() -> None:
    durations = DurationsBySize(1.0)
    for size in range(0, 100_000, 7):
        durations.note(size, 1.0)
    assert len(durations._by_size) <= 18


def test_a_forecast_counts_those_ahead() -> None:
    times = ServiceTime()
    times.warm(8, 0.08, turn_s=0.01)
    assert times.forecast_s(0, is_room=True) == 0.0
    assert times.forecast_s(0, is_room=False) == pytest.approx(0.01)
    assert times.forecast_s(9, is_room=False) == pytest.approx(0.1)
    assert times.infer.of(8).high_s == 0.08


def test_how_wrong_forecasts_were_is_known() -> None:
    times = ServiceTime()
    for _ in range(200):
        times.note_forecast(0.1, 0.15)
        times.note_forecast(0.1, 0.05)
    assert times.error_s == pytest.approx(0.05)
    assert abs(times.bias_s) < 0.01
