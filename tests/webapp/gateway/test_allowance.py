"""Agents send at the rate that they are allowed, and who sends more is told how long to wait."""

from uuid import UUID, uuid4

import pytest

from tests.factories import START, Clock
from webapp.gateway.ingest.allowance import (
    ALERTS_SHARE,
    BURST_S,
    MOST_HOLD_S,
    Allowances,
    Bucket,
    Hold,
    Limits,
)

AGENT, OTHER, ORGANIZATION = uuid4(), uuid4(), uuid4()


class Taker:
    """Takes for agents of one organization."""

    def __init__(self, allowances: Allowances, clock: Clock) -> None:
        self._allowances = allowances
        self._clock = clock

    def take(self, n: int, *, agent_id: UUID = AGENT, is_alerts: bool = False) -> Hold:
        return self._allowances.take(
            agent_id, ORGANIZATION, n, is_alerts=is_alerts, at=self._clock.now()
        )


def test_a_burst_passes_and_what_follows_waits_in_proportion(clock: Clock) -> None:
    bucket = Bucket(100.0, at=START)
    assert bucket.take(int(100 * BURST_S), per_s=100.0, at=START) == 0.0
    assert bucket.take(100, per_s=100.0, at=START) == pytest.approx(1.0)
    assert bucket.take(100, per_s=100.0, at=clock.advance(seconds=1)) == pytest.approx(1.0)


def test_debt_is_bounded_and_a_pause_fills_the_bucket_again(clock: Clock) -> None:
    bucket = Bucket(10.0, at=START)
    assert bucket.take(1_000_000, per_s=10.0, at=START) == pytest.approx(MOST_HOLD_S)
    assert not bucket.is_full(at=START)
    later = clock.advance(seconds=MOST_HOLD_S + BURST_S)
    assert bucket.is_full(at=later)
    assert bucket.take(int(10 * BURST_S), per_s=10.0, at=later) == 0.0


def test_a_clock_that_steps_back_gives_and_takes_nothing(clock: Clock) -> None:
    bucket = Bucket(10.0, at=START)
    assert bucket.take(100, per_s=10.0, at=START) == 0.0
    assert bucket.take(10, per_s=10.0, at=clock.advance(seconds=-60)) == pytest.approx(1.0)


def test_no_limit_is_no_limit(clock: Clock) -> None:
    takes = Taker(Allowances(Limits(0.0, 0.0)), clock)
    assert takes.take(10**9).seconds == 0.0


def test_one_agent_over_its_limit_does_not_slow_another(clock: Clock) -> None:
    takes = Taker(Allowances(Limits(10.0, 1_000.0)), clock)
    hold = takes.take(200)
    assert hold.seconds == pytest.approx(10.0)
    assert hold.limit is not None
    assert not hold.limit.is_organizations
    assert takes.take(50, agent_id=OTHER).seconds == 0.0


def test_all_agents_of_an_organization_share_its_limit(clock: Clock) -> None:
    takes = Taker(Allowances(Limits(0.0, 10.0)), clock)
    assert takes.take(100).seconds == 0.0
    hold = takes.take(50, agent_id=OTHER)
    assert hold.seconds == pytest.approx(5.0)
    assert hold.limit is not None
    assert hold.limit.is_organizations


def test_results_never_use_up_what_alerts_may_take(clock: Clock) -> None:
    takes = Taker(Allowances(Limits(100.0, 0.0)), clock)
    assert takes.take(100_000).seconds == pytest.approx(MOST_HOLD_S)
    n_alerts = int(100 * ALERTS_SHARE * BURST_S)
    assert takes.take(n_alerts, is_alerts=True).seconds == 0.0
    assert takes.take(10, is_alerts=True).seconds == pytest.approx(1.0)


def test_an_organization_may_have_limits_of_its_own(clock: Clock) -> None:
    allowances = Allowances(Limits(10.0, 10.0))
    takes = Taker(allowances, clock)
    allowances.limit({ORGANIZATION: Limits(1_000.0, 0.0)})
    assert takes.take(5_000).seconds == 0.0
    allowances.limit({})
    assert takes.take(200).seconds > 0.0


def test_full_buckets_are_forgotten_and_nobody_gains_by_it(clock: Clock) -> None:
    allowances = Allowances(Limits(10.0, 0.0))
    takes = Taker(allowances, clock)
    takes.take(150)
    allowances.forget_idle(at=clock.now())
    assert takes.take(0).seconds == pytest.approx(5.0)
    allowances.forget_idle(at=clock.advance(seconds=60))
    assert takes.take(int(10 * BURST_S)).seconds == 0.0
    assert takes.take(10).seconds == pytest.approx(1.0)
