"""After a restart agents wait in a line, where they cost nothing, and are greeted in its order."""

import asyncio
from typing import Any

import pytest

from processing.wire.messages import Challenge
from tests.webapp.gateway.double import Closed, Socket, connect, make_hello
from webapp.fleet.models import Agent
from webapp.gateway import line
from webapp.gateway.gateway import Gateway
from webapp.gateway.line import Line
from webapp.gateway.socket import AgentSocket


class Caller:
    """Somebody in the line, who may hang up."""

    def __init__(self, at: Line) -> None:
        self._events: asyncio.Queue[Any] = asyncio.Queue()
        self.is_in = asyncio.create_task(at.enter(self._events.get))

    def hang_up(self) -> None:
        self._events.put_nowait({"type": "websocket.disconnect"})


@pytest.fixture(autouse=True)
def one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "MOST_GREETED", 1)


async def test_who_came_first_is_greeted_first() -> None:
    door = Line()
    first, second, third = (Caller(door) for _ in range(3))
    assert await first.is_in
    door.leave()
    assert await second.is_in
    assert not third.is_in.done()
    door.leave()
    assert await third.is_in


async def test_who_hangs_up_is_passed_over() -> None:
    door = Line()
    first, second, third = (Caller(door) for _ in range(3))
    assert await first.is_in
    second.hang_up()
    assert not await second.is_in
    door.leave()
    assert await third.is_in


async def test_who_hangs_up_as_its_turn_comes_gives_the_place_on() -> None:
    door = Line()
    first, second, third = (Caller(door) for _ in range(3))
    assert await first.is_in
    second.hang_up()
    await asyncio.sleep(0)
    door.leave()
    assert not await second.is_in
    assert await third.is_in


async def test_who_is_cancelled_gives_the_place_on() -> None:
    door = Line()
    first, second, third = (Caller(door) for _ in range(3))
    assert await first.is_in
    door.leave()
    second.is_in.cancel()
    assert await third.is_in


async def test_who_has_waited_too_long_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "PATIENCE_S", 0.01)
    door = Line()
    first, second = Caller(door), Caller(door)
    assert await first.is_in
    assert not await second.is_in


async def test_who_hangs_up_before_it_is_let_in_gets_no_session(
    app: AgentSocket, agent: Agent, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    admission: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    monkeypatch.setattr(gateway, "admit", lambda *_: admission)
    socket = Socket(app)
    await socket.accepted()
    socket.say(make_hello(await socket.hear(Challenge), agent.id))
    await socket.leave()
    assert admission.cancelled()
    assert not list(gateway.connections)


async def test_who_speaks_out_of_turn_is_refused(
    app: AgentSocket, agent: Agent, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    admission: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    monkeypatch.setattr(gateway, "admit", lambda *_: admission)
    socket = Socket(app)
    await socket.accepted()
    hello = make_hello(await socket.hear(Challenge), agent.id)
    socket.say(hello)
    socket.say(hello)
    await socket.be_refused("malformed")


async def test_a_place_is_free_again_once_an_agent_is_let_in(
    app: AgentSocket, agent: Agent, other_agent: Agent
) -> None:
    first, _ = await connect(app, agent.id)
    second, _ = await connect(app, other_agent.id)
    await first.leave()
    await second.leave()


async def test_a_socket_in_the_line_is_taken_only_when_its_turn_comes(
    app: AgentSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Socket(app), Socket(app)
    await first.accepted()
    assert await second.is_silent()
    await first.leave()
    await second.accepted()
    await second.leave()
    monkeypatch.setattr(line, "MOST_GREETED", 0)
    monkeypatch.setattr(line, "MOST_WAITING", 0)
    third = Socket(app)
    with pytest.raises(Closed):
        await third.accepted()
    await third.leave()
