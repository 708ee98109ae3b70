"""Everything appended arrives, in order, once: through cuts, silence and repeated acks."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent import sender as sender_module
from processing.wire.limits import (
    CREDIT_BATCHES,
    CREDIT_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_PICTURE_BYTES,
)
from processing.wire.messages import Ack, DesiredState, EventRaised, Rejection
from tests.edge_agent.entries import event, result, sample
from tests.edge_agent.fake_hub import Batch, Cut, FakeHub
from tests.edge_agent.link.conftest import Rig


async def test_it_works(rig: Rig) -> None:
    entries = [result(n) for n in range(20)]
    async with rig.hub.run() as hub, rig.linked():
        for entry in entries:
            rig.outbox.append(entry)
        await hub.until(lambda: hub.counts()["results"] == 20)
    assert hub.lane("results") == entries
    assert hub.n_repeated == 0


async def test_alerts_do_not_wait_behind_a_backlog(rig: Rig) -> None:
    for n in range(3000):
        rig.outbox.append(result(n))
    for n in range(5):
        rig.outbox.append(sample(n))
    rig.outbox.append(event())
    rig.outbox.states().result(timeout=10)
    async with rig.hub.run() as hub, rig.linked():
        await hub.until(lambda: len(hub.stored) == 3006)
    assert hub.order[0] == "alerts"
    assert hub.order[-1] == "media"


async def test_a_cut_in_the_middle_loses_and_repeats_nothing_in_the_table(rig: Rig) -> None:
    hub = rig.hub
    seen = 0

    def cut_now_and_then(_batch: Batch) -> None:
        nonlocal seen
        seen += 1
        if seen in (2, 5, 6):
            raise Cut

    hub.react = cut_now_and_then
    for n in range(3000):
        rig.outbox.append(result(n))
    async with hub.run(), rig.linked():
        await hub.until(lambda: hub.counts()["results"] == 3000)
    assert hub.lane("results") == [result(n) for n in range(3000)]
    assert len(hub.hellos) == 4


async def test_what_was_stored_but_not_acknowledged_is_not_stored_twice(rig: Rig) -> None:
    hub = rig.hub
    hub.n_acks = 0
    async with hub.run(), rig.linked():
        rig.outbox.append(result(1))
        await hub.until(lambda: hub.counts()["results"] == 1)
        hub.n_acks = 1
        hub.cut()
        rig.outbox.append(result(2))
        await hub.until(lambda: hub.counts()["results"] == 2)
    assert hub.n_repeated == 0  # the cursor of the welcome said that it has the first


async def test_an_ack_said_three_times_is_one(rig: Rig) -> None:
    rig.hub.n_acks = 3
    async with rig.hub.run() as hub, rig.linked():
        for n in range(1000):
            rig.outbox.append(result(n))
        await hub.until(lambda: hub.counts()["results"] == 1000)
    assert hub.n_repeated == 0
    assert len(hub.hellos) == 1


async def test_an_ack_of_what_was_never_sent_takes_nothing_away(rig: Rig) -> None:
    async with rig.hub.run() as hub, rig.linked():
        await hub.until(lambda: hub.reports)
        await hub.say(Ack(epoch=rig.outbox.epoch, lane="results", through_seq=1000))
        await hub.say(Ack(epoch=rig.outbox.epoch + 1, lane="results", through_seq=1000))
        rig.outbox.append(result(1))
        await hub.until(lambda: hub.counts()["results"] == 1)


async def test_what_only_a_newer_hub_says_is_no_reason_to_go(rig: Rig) -> None:
    newer = {"type": "weather", "token": "x", "expires_s": 900.0}
    async with rig.hub.run() as hub, rig.linked():
        await hub.until(lambda: hub.reports)
        await hub.say_bytes(msgspec.msgpack.encode(newer))
        rig.outbox.append(result(1))
        await hub.until(lambda: hub.counts()["results"] == 1)
    assert len(hub.hellos) == 1


async def test_a_silent_hub_is_sent_no_more_than_the_credit(rig: Rig) -> None:
    hub = rig.hub
    hub.n_acks = 0
    rig.portions.n_entries = 50
    async with hub.run(), rig.linked():
        for n in range(2_000):
            rig.outbox.append(result(n))
        await hub.until(lambda: len(hub.batches) == CREDIT_BATCHES)
        hub.reports.clear()
        rig.health.problem("test", "something is wrong")
        await hub.until(lambda: hub.reports)  # it goes on telling how it is
        assert len(hub.batches) == CREDIT_BATCHES


async def test_large_batches_are_fewer_at_a_time_but_for_an_alert(rig: Rig) -> None:
    hub = rig.hub
    hub.n_acks = 0
    jpeg = bytes(MAX_PICTURE_BYTES)
    n_at_once = -(-CREDIT_BYTES // MAX_PICTURE_BYTES)
    assert n_at_once < CREDIT_BATCHES
    for n in range(CREDIT_BATCHES):
        rig.outbox.append(msgspec.structs.replace(sample(n), jpeg=jpeg))
    async with hub.run(), rig.linked():
        await hub.until(lambda: len(hub.batches) == n_at_once)
        rig.outbox.append(event())
        await hub.until(lambda: hub.counts()["alerts"] == 1)
        assert len(hub.batches) == n_at_once + 1
        for n in range(n_at_once + 2, CREDIT_BATCHES + 2):  # alerts have an end too
            rig.outbox.append(event())
            await hub.until(lambda n=n: len(hub.batches) == n)  # type: ignore[misc]
        hub.reports.clear()
        rig.outbox.append(event())
        rig.health.problem("test", "something is wrong")
        await hub.until(lambda: hub.reports)
        assert len(hub.batches) == CREDIT_BATCHES + 1


async def test_a_hub_that_acknowledges_nothing_is_called_anew(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender_module, "_ACK_PATIENCE_S", 0.2)
    hub = rig.hub
    hub.n_acks = 0
    async with hub.run(), rig.linked():
        rig.outbox.append(result(1))
        await hub.until(lambda: len(hub.hellos) >= 2)


async def test_batches_keep_below_the_size_limit(rig: Rig) -> None:
    for n in range(20):
        rig.outbox.append(sample(n, n_bytes=150_000))
    async with rig.hub.run() as hub, rig.linked():
        await hub.until(lambda: hub.counts()["media"] == 20)
    assert max(len(batch.entries) for batch in hub.batches) == MAX_MESSAGE_BYTES // 150_000


async def test_the_hub_may_be_away_as_long_as_it_likes(rig: Rig) -> None:
    hub = rig.hub
    async with hub.run(), rig.linked():
        rig.outbox.append(result(0))
        await hub.until(lambda: hub.counts()["results"] == 1)
        port = hub.port
    async with rig.linked():
        for n in range(1, 500):
            rig.outbox.append(result(n))
        await hub.until(lambda: "no connection to the hub" in "".join(rig.health.problems))
        async with hub.run(port):
            await hub.until(lambda: hub.counts()["results"] == 500)
    assert hub.lane("results") == [result(n) for n in range(500)]
    assert rig.health.problems == ()


async def test_a_rejected_entry_does_not_stop_the_rest(rig: Rig) -> None:
    hub = rig.hub

    def reject_third(batch: Batch) -> tuple[Rejection, ...] | None:
        if batch.first_seq <= 3 < batch.first_seq + len(batch.entries):
            return (Rejection(seq=3, code="unknown_camera", detail="camera 7 is not yours"),)
        return None

    hub.react = reject_third
    async with hub.run(), rig.linked():
        for n in range(10):
            rig.outbox.append(result(n))
        await hub.until(lambda: hub.counts()["results"] == 9)
        await hub.until(lambda: rig.health.problems)
    assert "camera 7 is not yours" in rig.health.problems[0]
    rig.outbox.states().result(timeout=10)
    assert [letter.seq for letter in rig.outbox._spool.dead_letters()] == [3]


async def test_a_gap_is_told_as_a_gap(rig: Rig) -> None:
    for n in range(5):
        rig.outbox.append(result(n))
    rig.outbox.quarantine("results", 3, "unreadable").result(timeout=10)
    async with rig.hub.run() as hub, rig.linked():
        await hub.until(lambda: hub.counts()["results"] == 4)
    assert [(gap.first_seq, gap.last_seq, gap.reason) for gap in hub.gaps] == [(3, 3, "unreadable")]


async def test_a_hub_that_has_more_than_we_do_gets_new_numbers(rig: Rig) -> None:
    """A restored copy of the agent's machine must not reuse numbers that the hub has."""
    hub, before = rig.hub, rig.outbox.epoch
    hub.cursors[before, "results"] = 100
    rig.outbox.append(result(1))
    async with hub.run(), rig.linked():
        await hub.until(lambda: hub.counts()["results"] == 1 and hub.counts()["alerts"] == 1)
    [(epoch, seq)] = [(epoch, seq) for epoch, lane, seq in hub.stored if lane == "results"]
    assert (epoch != before, seq) == (True, 1)
    [told] = [entry for (_, lane, _), entry in hub.stored.items() if lane == "alerts"]
    assert isinstance(told, EventRaised)
    assert told.kind == "outbox_begun_anew"


async def test_a_hub_that_forgot_gets_it_again(rig: Rig) -> None:
    hub = rig.hub
    for n in range(50):
        rig.outbox.append(result(n))
    async with hub.run(), rig.linked():
        await hub.until(lambda: hub.counts()["results"] == 50)
        hub.stored.clear()
        hub.cursors.clear()
        hub.cut()
        await hub.until(lambda: hub.counts()["results"] == 50)


async def test_desired_state_arrives_with_the_welcome_and_later(rig: Rig) -> None:
    rig.hub.desired = DesiredState(version=4)
    async with rig.hub.run() as hub, rig.linked():
        await hub.until(lambda: hub.reports)
        await hub.say(DesiredState(version=5))
        await hub.until(lambda: len(rig.desired) == 2)
    assert [desired.version for desired in rig.desired] == [4, 5]


@given(cuts=st.sets(st.integers(1, 12), max_size=6), n_entries=st.integers(1, 1200))
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_pattern_of_cuts_delivers_everything(
    rig: Rig, cuts: set[int], n_entries: int
) -> None:
    hub: FakeHub = rig.hub
    n_before, seen = len(hub.stored), 0

    def cut_sometimes(_batch: Batch) -> None:
        nonlocal seen
        seen += 1
        if seen in cuts:
            raise Cut

    hub.react = cut_sometimes
    async with hub.run(), rig.linked():
        for n in range(n_entries):
            rig.outbox.append(result(n))
        await hub.until(lambda: len(hub.stored) == n_before + n_entries)
    assert hub.lane("results")[n_before:] == [result(n) for n in range(n_entries)]
