"""Only the newest session of an agent in good standing writes."""

import asyncio
import threading
from collections.abc import Collection
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from processing.wire.messages import Ack
from tests.factories import START, Clock
from tests.webapp.gateway.double import Socket, connect, make_batch, make_entry
from webapp.accounts.models import User
from webapp.events.models import Event
from webapp.fleet import queries
from webapp.fleet.actions import Opening, hold_agents, open_sessions, revoke_agent
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.fleet.queries import Standing
from webapp.gateway import upkeep
from webapp.gateway.database import DatabaseThread
from webapp.gateway.gateway import Gateway
from webapp.gateway.socket import AgentSocket
from webapp.gateway.upkeep import Upkeep
from webapp.results.models import Result


async def other_process_connects(agent: Agent, database: DatabaseThread) -> None:
    """The same agent connects to another web process of this hub."""

    def connect_there() -> None:
        with transaction.atomic():
            held = hold_agents({agent.id})[agent.id]
            open_sessions([Opening(held, "test 2", clock_offset_ms=0.0, at=START)])

    await database.call(connect_there)


async def test_what_a_superseded_session_still_sends_is_not_written(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    await other_process_connects(agent, database)
    socket.say(make_batch(1, make_entry(camera.id)))
    await socket.be_refused("superseded")
    assert await database.call(Result.objects.count) == 0
    await database.call(agent.refresh_from_db)
    assert agent.is_connected
    assert not await database.call(Event.objects.filter(kind="agent_offline").exists)


async def test_a_silent_session_superseded_elsewhere_is_closed(
    app: AgentSocket, agent: Agent, gateway: Gateway, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    await other_process_connects(agent, database)
    await socket.be_refused("superseded")
    assert len(gateway.connections) == 0


async def test_a_revoked_agent_is_cut_off_and_nothing_of_it_is_written(
    app: AgentSocket,
    agent: Agent,
    camera: Camera,
    bundle: Bundle,
    alice: User,
    database: DatabaseThread,
) -> None:
    socket, _ = await connect(app, agent.id)
    await database.call(revoke_agent, agent, by=alice, at=START)
    socket.say(make_batch(1, make_entry(camera.id)))
    assert (await socket.be_refused("revoked")).is_final
    assert await database.call(Result.objects.count) == 0


async def test_a_silent_agent_is_cut_off_when_revoked(
    app: AgentSocket, agent: Agent, alice: User, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    await database.call(revoke_agent, agent, by=alice, at=START)
    assert (await socket.be_refused("revoked")).is_final


async def test_a_removed_agent_is_cut_off(
    app: AgentSocket, agent: Agent, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    await database.call(agent.delete)
    assert (await socket.be_refused("unknown_agent")).is_final


async def test_who_connects_while_the_fleet_is_read_stays(
    agent: Agent, other_agent: Agent, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = AgentSocket(gateway)
    first, _ = await connect(app, agent.id)
    read_standings = queries.read_standings
    may_read = threading.Event()

    def read_slowly(agent_ids: Collection[UUID]) -> dict[UUID, Standing]:
        may_read.wait(10)
        return read_standings(agent_ids)

    monkeypatch.setattr(upkeep, "read_standings", read_slowly)
    reader = DatabaseThread()
    following = asyncio.create_task(Upkeep(gateway.connections, reader).follow_fleet())
    await asyncio.sleep(0)
    monkeypatch.undo()
    second, _ = await connect(app, other_agent.id)
    may_read.set()
    await following
    assert await second.is_silent()
    await first.leave()
    await second.leave()
    reader.stop()


async def test_people_are_told_of_two_programs_with_one_key(
    app: AgentSocket, agent: Agent, clock: Clock, database: DatabaseThread
) -> None:
    twice = Event.objects.filter(kind="agent_twice")
    last, _ = await connect(app, agent.id, boot_id=uuid4())
    for n_told in (0, 0, 1, 1):
        clock.advance(minutes=1)
        newer, _ = await connect(app, agent.id, boot_id=uuid4(), clock_at=clock.now())
        await last.be_refused("superseded")
        assert await database.call(twice.count) == n_told
        last = newer
    await last.leave()


async def test_one_program_that_connects_again_is_no_rival_of_itself(
    app: AgentSocket, agent: Agent, database: DatabaseThread
) -> None:
    boot_id = uuid4()
    last, _ = await connect(app, agent.id, boot_id=boot_id)
    for _ in range(4):
        newer, _ = await connect(app, agent.id, boot_id=boot_id)
        await last.be_refused("superseded")
        last = newer
    assert not await database.call(Event.objects.filter(kind="agent_twice").exists)
    await last.leave()


async def test_two_who_take_turns_write_every_result_once(
    app: AgentSocket, agent: Agent, camera: Camera, bundle: Bundle, database: DatabaseThread
) -> None:
    entries = [make_entry(camera.id, 1) for _ in range(20)]
    old: Socket | None = None
    for _ in range(4):
        socket, welcome = await connect(app, agent.id)
        if old is not None:
            await hear_end(old)
        through = next(c.through_seq for c in welcome.cursors if c.lane == "results")
        for seq in range(through + 1, min(through + 6, 21)):
            socket.say(make_batch(seq, entries[seq - 1]))
        old = socket
    assert old is not None
    old.say(make_batch(1, *entries))
    await old.hear_ack("results", 20)
    assert await database.call(Result.objects.count) == 20
    await old.leave()


async def hear_end(socket: Socket) -> None:
    """Read on through acks to the refusal."""
    while True:
        message = await socket.hear_any()
        if not isinstance(message, Ack):
            break
    await socket.leave()


async def test_silence_ends_a_connection(
    app: AgentSocket, agent: Agent, clock: Clock, gateway: Gateway, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    clock.advance(seconds=31)
    await gateway.notice_silence()
    await socket.be_refused("timeout")
    await asyncio.sleep(0)
    assert await database.call(Event.objects.filter(kind="agent_offline").count) == 1


async def test_agents_of_a_process_that_died_are_marked_offline(
    agent: Agent, other_agent: Agent, clock: Clock, gateway: Gateway, database: DatabaseThread
) -> None:
    await other_process_connects(agent, database)
    clock.advance(seconds=20)
    await gateway.notice_silence()
    connected = Agent.objects.filter(is_connected=True)
    assert await database.call(connected.get) == agent
    clock.advance(seconds=20)
    await gateway.notice_silence()
    await gateway.notice_silence()
    assert not await database.call(connected.exists)
    offline = Event.objects.filter(kind="agent_offline", agent=agent)
    assert await database.call(offline.count) == 1
    assert not await database.call(Event.objects.filter(agent=other_agent).exists)
