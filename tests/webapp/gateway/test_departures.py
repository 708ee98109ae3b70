"""A fleet that goes at once: few transactions, each agent said to be offline once."""

import asyncio
import threading
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError

from tests.factories import START, Clock, make_agent
from tests.webapp.gateway.double import connect
from webapp.events.models import Event
from webapp.fleet.models import SILENCE, Agent
from webapp.gateway import departures
from webapp.gateway.database import DatabaseThread
from webapp.gateway.departures import Departures
from webapp.gateway.gateway import Gateway
from webapp.gateway.handshake import Session
from webapp.gateway.socket import AgentSocket


def session(agent_id: UUID, number: int = 1) -> Session:
    return Session(agent_id, uuid4(), "one", number, epoch=1, boot_id=uuid4())


def kinds_told() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


@pytest.fixture
async def thread() -> AsyncIterator[DatabaseThread]:
    thread = DatabaseThread()
    yield thread
    thread.stop()


async def test_it_works(app: AgentSocket, agent: Agent, database: DatabaseThread) -> None:
    others = await database.call(lambda: [make_agent(agent.site) for _ in range(3)])
    sockets = [(await connect(app, each.id))[0] for each in (agent, *others)]
    await asyncio.gather(*(socket.leave() for socket in sockets))
    offline = Event.objects.filter(kind="agent_offline").values_list("agent_id", flat=True)
    gone = await database.call(lambda: list(offline))
    assert sorted(gone) == sorted(each.id for each in (agent, *others))
    assert not await database.call(Agent.objects.filter(is_connected=True).exists)


async def test_who_is_sent_away_and_comes_again_was_never_gone(
    app: AgentSocket, gateway: Gateway, agent: Agent, database: DatabaseThread, clock: Clock
) -> None:
    socket, _ = await connect(app, agent.id)
    gateway.keep_sessions()
    await socket.leave()
    socket, _ = await connect(app, agent.id)
    assert await database.call(kinds_told) == ["agent_online"]
    await socket.leave()
    clock.advance(seconds=SILENCE.total_seconds() + 1)
    await gateway.notice_silence()
    assert await database.call(kinds_told) == ["agent_online", "agent_offline"]


async def test_who_goes_while_others_are_written_down_goes_with_the_next(
    thread: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[dict[UUID, int]] = []
    loop, is_begun, may_end = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def end_sessions(sessions: dict[UUID, int], **_: object) -> None:
        groups.append(sessions)
        loop.call_soon_threadsafe(is_begun.set)
        may_end.wait(10)

    monkeypatch.setattr(departures, "_end_sessions", end_sessions)
    leaving = Departures(thread)
    first, *others = [uuid4() for _ in range(5)]
    ends = [asyncio.create_task(leaving.end(session(first), at=START))]
    await is_begun.wait()
    ends += [asyncio.create_task(leaving.end(session(each), at=START)) for each in others]
    ends.append(asyncio.create_task(leaving.end(session(others[0], number=2), at=START)))
    await asyncio.sleep(0)
    may_end.set()
    await asyncio.gather(*ends)
    assert groups == [{first: 1}, {others[0]: 2, **dict.fromkeys(others[1:], 1)}]


async def test_an_end_that_cannot_be_written_is_left_to_the_sweep(
    thread: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("the server is gone")

    monkeypatch.setattr(departures, "_end_sessions", fail)
    leaving = Departures(thread)
    await leaving.end(session(uuid4()), at=START)
    monkeypatch.undo()
    written: list[dict[UUID, int]] = []
    monkeypatch.setattr(departures, "_end_sessions", lambda group, at: written.append(group))
    await leaving.end(session(UUID(int=7)), at=START)
    assert written == [{UUID(int=7): 1}]
