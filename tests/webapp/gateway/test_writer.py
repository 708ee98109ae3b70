"""The writer acknowledges what is committed, and only that, whatever happens to the database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from django.db import IntegrityError, OperationalError

from processing.wire.messages import Ack, EventBatch, EventRaised
from tests.factories import START, Clock
from tests.webapp.gateway.double import Closed, connect, make_batch, make_entry
from webapp.common.broadcast import Broadcast
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.gateway.database import DatabaseThread
from webapp.gateway.gateway import Gateway
from webapp.gateway.ingest import writer
from webapp.gateway.ingest.delivery import Delivery, Outcome
from webapp.gateway.ingest.directory import Directory
from webapp.gateway.ingest.group import commit_group
from webapp.gateway.ingest.writer import Writer
from webapp.gateway.reminders import Reminders
from webapp.gateway.socket import AgentSocket
from webapp.results.models import CameraMinute, LabelMinute, Result


class Fault:
    """A commit that goes wrong as a test says: before it, or after it."""

    def __init__(self) -> None:
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self.is_poison: Callable[[Delivery], bool] = lambda _: False
        self.n_calls = 0

    def commit(
        self, deliveries: Sequence[Delivery], *, directory: Directory, reminders: Reminders
    ) -> list[Outcome]:
        self.n_calls += 1
        if self.before:
            raise self.before.pop()
        if any(map(self.is_poison, deliveries)):
            raise IntegrityError("poison")
        outcomes = commit_group(deliveries, directory=directory, reminders=reminders)
        if self.after:
            raise self.after.pop()
        return outcomes


@pytest.fixture
def fault() -> Fault:
    return Fault()


@pytest.fixture
async def gateway(
    transactional_db: None, clock: Clock, audience: Broadcast, fault: Fault
) -> AsyncIterator[Gateway]:
    gateway = Gateway(clock=clock.now, audience=audience, writer=Writer(commit=fault.commit))
    yield gateway
    await gateway.stop()


def totals() -> tuple[int, int, int]:
    return (
        Result.objects.count(),
        sum(CameraMinute.objects.values_list("n_results", flat=True)),
        sum(LabelMinute.objects.values_list("n_detections", flat=True)),
    )


async def test_nothing_is_acknowledged_while_the_database_is_away(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, fault: Fault
) -> None:
    socket, _ = await connect(app, agent.id)
    fault.before = [OperationalError("the server is gone")] * 1_000
    socket.say(make_batch(1, make_entry(camera.id, 1)))
    assert await socket.is_silent(0.3)
    fault.before.clear()
    await socket.hear_ack("results", 1)
    await socket.leave()


async def test_a_crash_between_commit_and_ack_stores_once(
    app: AgentSocket,
    agent: Agent,
    camera: Camera,
    bundle: Bundle,
    fault: Fault,
    database: DatabaseThread,
) -> None:
    socket, _ = await connect(app, agent.id)
    fault.after = [OperationalError("the connection broke after the commit")]
    socket.say(make_batch(1, make_entry(camera.id, 1), make_entry(camera.id, 1)))
    await socket.hear_ack("results", 2)
    assert fault.n_calls == 2
    assert await database.call(totals) == (2, 2, 2)
    await socket.leave()


async def test_what_the_hub_cannot_store_harms_nobody_else(
    app: AgentSocket, agent: Agent, other_agent: Agent, camera: Camera, bundle: Bundle, fault: Fault
) -> None:
    good, _ = await connect(app, agent.id)
    bad, _ = await connect(app, other_agent.id)
    fault.is_poison = lambda delivery: delivery.session.agent_id == other_agent.id
    bad.say(make_batch(1, make_entry(camera.id)))
    good.say(make_batch(1, make_entry(camera.id)))
    await good.hear_ack("results", 1)
    await bad.be_refused("malformed")
    await good.leave()


async def test_many_batches_share_a_commit(
    app: AgentSocket,
    agent: Agent,
    camera: Camera,
    bundle: Bundle,
    fault: Fault,
    database: DatabaseThread,
) -> None:
    socket, _ = await connect(app, agent.id)
    for seq in range(1, 31):
        socket.say(make_batch(seq, make_entry(camera.id, 1)))
    await socket.hear_ack("results", 30)
    assert fault.n_calls < 30
    assert await database.call(totals) == (30, 30, 30)
    await socket.leave()


async def test_an_alert_does_not_wait_behind_results(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, fault: Fault
) -> None:
    socket, _ = await connect(app, agent.id)
    # The group at hand cannot be stored for a while; all that comes now waits behind it.
    fault.before = [OperationalError("busy")] * 3
    socket.say(make_batch(1, make_entry(camera.id)))
    await asyncio.sleep(0.05)
    for first_seq in range(2, 4_002, 500):
        socket.say(make_batch(first_seq, *[make_entry(camera.id)] * 500))
    alert = EventRaised(kind="fire", occurred_at=START, title="Fire", severity="error")
    socket.say(EventBatch(epoch=1, first_seq=1, lane="alerts", entries=(alert,)))
    acks = {}
    while "alerts" not in acks:
        ack = await socket.hear(Ack)
        acks[ack.lane] = ack.through_seq
    assert acks["results"] < 4_001
    await socket.hear_ack("results", 4_001)
    await socket.leave()


async def test_who_comes_when_too_much_waits_is_asked_to_come_later(
    app: AgentSocket,
    agent: Agent,
    camera: Camera,
    bundle: Bundle,
    fault: Fault,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writer, "MAX_WAITING_BYTES", 1)
    socket, _ = await connect(app, agent.id)
    fault.before = [OperationalError("gone")] * 1_000
    for seq in range(1, 4):
        socket.say(make_batch(seq, make_entry(camera.id)))
    with pytest.raises(Closed) as closed:
        await socket.hear_any()
    assert closed.value.code == 1013
    fault.before.clear()
    await socket.leave()


async def test_a_gateway_that_stops_leaves_the_rest_to_be_sent_again(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, fault: Fault, gateway: Gateway
) -> None:
    socket, _ = await connect(app, agent.id)
    fault.before = [OperationalError("gone")] * 1_000
    socket.say(make_batch(1, make_entry(camera.id)))
    await asyncio.sleep(0.05)
    gateway.writer.stop()
    assert await socket.is_silent()
    await socket.leave()
