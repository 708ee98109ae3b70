"""Who sends more than it may is served later, loses nothing, and people hear of it once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from processing.wire.messages import EventBatch, EventRaised
from tests.factories import START, Clock
from tests.webapp.gateway.double import Closed, connect, make_batch, make_entry
from webapp.accounts.models import Organization
from webapp.common.broadcast import Broadcast
from webapp.events.models import Event
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.gateway import gateway as gateway_module
from webapp.gateway import pacing
from webapp.gateway.database import DatabaseThread
from webapp.gateway.gateway import Gateway
from webapp.gateway.ingest import allowance
from webapp.gateway.ingest.allowance import Limits
from webapp.gateway.socket import AgentSocket
from webapp.results.models import Result

PER_S = 10
BURST = int(PER_S * allowance.BURST_S)
N_LATE = 2 * PER_S
"""Two seconds' worth: by then an alert is stored, however busy the machine is."""


@pytest.fixture
async def gateway(
    transactional_db: None, clock: Clock, audience: Broadcast
) -> AsyncIterator[Gateway]:
    usual = Limits(agent_per_s=PER_S, organization_per_s=0)
    gateway = Gateway(clock=clock.now, audience=audience, usual=usual)
    yield gateway
    await gateway.stop()


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is held for long, and nothing is looked at unless the test does."""

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(gateway_module, "_every", never)
    monkeypatch.setattr(pacing, "MOST_HOLD_S", 0.01)


def slowed(agent: Agent) -> tuple[int, int]:
    """Return to which rate the agent's row says it is slowed, and how many events say so."""
    agent.refresh_from_db()
    return agent.slowed_to_per_s, Event.objects.filter(agent=agent, kind="agent_slowed").count()


async def test_what_is_over_the_limit_comes_later_and_an_alert_does_not_wait_for_it(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    socket.say(make_batch(1, *[make_entry(camera.id)] * BURST))
    await socket.hear_ack("results", BURST)
    socket.say(make_batch(BURST + 1, *[make_entry(camera.id)] * N_LATE))
    alert = EventRaised(kind="fire", occurred_at=START, title="Fire", severity="error")
    socket.say(EventBatch(epoch=1, first_seq=1, lane="alerts", entries=(alert,)))
    await socket.hear_ack("alerts", 1)
    assert await database.call(Result.objects.count) == BURST
    await socket.hear_ack("results", BURST + N_LATE)
    assert await database.call(Result.objects.count) == BURST + N_LATE
    await socket.leave()


async def test_batches_that_wait_keep_their_order(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle
) -> None:
    socket, _ = await connect(app, agent.id)
    socket.say(make_batch(1, *[make_entry(camera.id)] * BURST))
    for seq in range(BURST + 1, BURST + 6):
        socket.say(make_batch(seq, make_entry(camera.id)))
    await socket.hear_ack("results", BURST + 5)
    await socket.leave()


@pytest.mark.usefixtures("by_hand")
async def test_people_are_told_once_who_is_slowed_and_the_page_until_it_is_over(
    app: AgentSocket, camera: Camera, gateway: Gateway, clock: Clock, database: DatabaseThread
) -> None:
    agent = camera.agent
    socket, _ = await connect(app, agent.id)
    n = 0
    for _ in range(2):
        socket.say(make_batch(n + 1, *[make_entry(camera.id)] * (BURST + 50)))
        n += BURST + 50
        await socket.hear_ack("results", n)
        await gateway.follow_limits()
        assert await database.call(slowed, agent) == (PER_S, 1)
    clock.advance(seconds=60)
    await gateway.follow_limits()
    assert await database.call(slowed, agent) == (0, 1)
    await socket.leave()


async def test_an_organization_may_be_given_more(
    app: AgentSocket,
    acme: Organization,
    camera: Camera,
    gateway: Gateway,
    database: DatabaseThread,
) -> None:
    agent = camera.agent
    acme.most_agent_results_per_s = 0
    await database.call(acme.save)
    socket, _ = await connect(app, agent.id)
    await gateway.follow_limits()
    for first_seq in range(1, 2_001, 500):
        socket.say(make_batch(first_seq, *[make_entry(camera.id)] * 500))
    await socket.hear_ack("results", 2_000)
    await gateway.follow_limits()
    assert await database.call(slowed, agent) == (0, 0)
    await socket.leave()


async def test_when_too_much_is_held_an_agent_is_asked_to_come_later(
    app: AgentSocket,
    agent: Agent,
    camera: Camera,
    bundle: Bundle,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pacing, "MAX_HELD_BYTES", 1)
    socket, _ = await connect(app, agent.id)
    socket.say(make_batch(1, *[make_entry(camera.id)] * BURST))
    await socket.hear_ack("results", BURST)
    for first_seq in (BURST + 1, BURST + 101):
        socket.say(make_batch(first_seq, *[make_entry(camera.id)] * 100))
    with pytest.raises(Closed) as closed:
        await socket.hear_any()
    assert closed.value.code == 1013
    await socket.leave()
