"""The counts of several web processes are added up on the pages of any of them."""

from datetime import timedelta
from uuid import uuid4

from processing.wire.browser import Counters
from tests.factories import START
from webapp.common.broadcast import Broadcast
from webapp.gateway.shares import STALE, Shares, total


def counters(n: int) -> Counters:
    return Counters(
        at=START, results_per_s=n / 10, n_results=n, n_agents_online=n, n_cameras_online=2 * n
    )


async def test_shares_of_others_are_heard_while_somebody_looks() -> None:
    audience, organization_id = Broadcast(), uuid4()
    mine, other = Shares(audience), Shares(audience)
    with mine.following():
        with audience.subscribed(("organization", organization_id)):
            other.publish(organization_id, counters(1))
            other.publish(organization_id, counters(3))
            mine.publish(organization_id, counters(50))  # its own it knows
            assert mine.take_in(at=START) == {organization_id}
            assert mine.of(organization_id, at=START) == [counters(3)]
        other.publish(organization_id, counters(4))
        mine.take_in(at=START)
        assert mine.of(organization_id, at=START) == []


async def test_a_process_that_falls_silent_counts_no_more() -> None:
    audience, organization_id = Broadcast(), uuid4()
    mine, other = Shares(audience), Shares(audience)
    with mine.following(), audience.subscribed(("organization", organization_id)):
        other.publish(organization_id, counters(1))
        mine.take_in(at=START)
        assert mine.of(organization_id, at=START + STALE) == [counters(1)]
        assert mine.of(organization_id, at=START + STALE + timedelta(seconds=1)) == []


def test_the_sum_is_of_everything() -> None:
    assert total([counters(1), counters(2)]) == counters(3)
