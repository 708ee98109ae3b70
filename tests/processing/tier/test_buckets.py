"""Who sends more than it may is told when it may again; strangers take no memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.tier.contract import Overloaded
from processing.tier.queueing.buckets import Buckets


def wait_s(buckets: Buckets, tenant: str, n: int = 1, *, at_s: float) -> float:
    """Take from a bucket of 10 a second and 5 at once; return how long it is to wait."""
    try:
        buckets.take(tenant, n, per_s=10.0, burst=5, at_s=at_s)
    except Overloaded as refusal:
        return refusal.retry_after_s
    return 0.0


def test_it_works() -> None:
    buckets = Buckets()
    assert [wait_s(buckets, "a", at_s=0.0) for _ in range(6)] == [0, 0, 0, 0, 0, 0.1]
    assert wait_s(buckets, "b", at_s=0.0) == 0.0
    assert wait_s(buckets, "a", at_s=0.1) == 0.0


def test_a_pause_earns_no_more_than_a_burst() -> None:
    buckets = Buckets()
    wait_s(buckets, "a", 5, at_s=0.0)
    assert wait_s(buckets, "a", 5, at_s=1000.0) == 0.0
    assert wait_s(buckets, "a", at_s=1000.0) == pytest.approx(0.1)


def test_what_is_refused_costs_nothing() -> None:
    buckets = Buckets()
    wait_s(buckets, "a", 4, at_s=0.0)
    assert wait_s(buckets, "a", 4, at_s=0.0) == pytest.approx(0.3)
    assert wait_s(buckets, "a", 1, at_s=0.0) == 0.0


def test_more_than_a_burst_at_once_is_never_taken() -> None:
    with pytest.raises(Overloaded, match="at most 5"):
        Buckets().take("a", 6, per_s=10.0, burst=5, at_s=0.0)


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    buckets = Buckets()
    wait_s(buckets, "a", 5, at_s=100.0)
    assert wait_s(buckets, "a", at_s=50.0) > 0.0


def test_of_too_many_tenants_the_quietest_is_forgotten() -> None:
    buckets = Buckets(max_buckets=3)
    for tenant in "abc":
        wait_s(buckets, tenant, 5, at_s=0.0)
    wait_s(buckets, "a", at_s=0.0)
    wait_s(buckets, "d", 5, at_s=0.0)
    assert len(buckets) == 3
    assert wait_s(buckets, "a", at_s=0.0) > 0.0
    assert wait_s(buckets, "b", at_s=0.0) == 0.0


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 5)), max_size=60))
def test_never_more_than_the_rate_and_one_burst(asked: list[tuple[float, int]]) -> None:
    buckets, at_s, n_taken = Buckets(), 0.0, 0
    for pause_s, n in asked:
        at_s += pause_s
        if not wait_s(buckets, "a", n, at_s=at_s):
            n_taken += n
    assert n_taken <= 5 + 10.0 * at_s + 1e-6


@given(st.lists(st.tuples(st.floats(0, 0.2), st.integers(1, 5)), min_size=1, max_size=20))
def test_after_the_wait_it_is_taken(asked: list[tuple[float, int]]) -> None:
    buckets, at_s = Buckets(), 0.0
    for pause_s, n in asked:
        at_s += pause_s
        if wait := wait_s(buckets, "a", n, at_s=at_s):
            at_s += wait + 1e-9
            assert wait_s(buckets, "a", n, at_s=at_s) == 0.0
