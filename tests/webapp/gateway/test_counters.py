"""How much arrives, for the pages of those whose it is."""

import asyncio
from uuid import uuid4

import msgspec

from processing.wire.browser import Counters
from tests.factories import Clock
from tests.webapp.gateway.double import connect, make_batch, make_entry
from tests.webapp.gateway.test_report_state import make_report
from webapp.common.broadcast import Broadcast
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.gateway.gateway import Gateway
from webapp.gateway.socket import AgentSocket


async def test_it_works(
    agent: Agent,
    camera: Camera,
    bundle: Bundle,
    clock: Clock,
    audience: Broadcast,
    gateway: Gateway,
) -> None:
    socket, _ = await connect(AgentSocket(gateway), agent.id)
    clock.advance(seconds=10)
    with audience.subscribed(("organization", agent.organization_id)) as mailbox:
        socket.say(make_report(camera))
        socket.say(make_batch(1, *[make_entry(camera.id)] * 10))
        await socket.hear_ack("results", 10)
        clock.advance(seconds=5)
        await gateway.publish_tallies()
        async with asyncio.timeout(5):
            (payload,) = await mailbox.take()
    told = msgspec.json.decode(payload, type=Counters)
    assert (told.n_results, told.results_per_s) == (10, 2.0)
    assert (told.n_agents_online, told.n_cameras_online) == (1, 1)
    await socket.leave()


async def test_strangers_hear_nothing(
    app: AgentSocket, agent: Agent, audience: Broadcast, gateway: Gateway
) -> None:
    socket, _ = await connect(app, agent.id)
    with audience.subscribed(("organization", uuid4())) as mailbox:
        taking = asyncio.create_task(mailbox.take())
        await gateway.publish_tallies()
        await asyncio.sleep(0)
        assert not taking.done()
        taking.cancel()
    await socket.leave()
