"""An agent is read no faster than what it sends is stored."""

import asyncio
from typing import Any

from tests.webapp.gateway.double import connect
from tests.webapp.gateway.test_malformed_message import gap
from webapp.fleet.models import Agent
from webapp.gateway.connection import MAX_IN_FLIGHT
from webapp.gateway.daphne_sockets import MOST_QUEUED, SOCKET, BoundedSocket, let_flow
from webapp.gateway.gateway import Gateway
from webapp.gateway.socket import AgentSocket


async def test_who_has_too_much_under_way_is_not_listened_to(
    app: AgentSocket, agent: Agent, gateway: Gateway
) -> None:
    socket, _ = await connect(app, agent.id)
    (connection,) = gateway.connections
    socket.say(gap(1, 1))
    await socket.hear_ack("results", 1)
    for _ in range(MAX_IN_FLIGHT):
        connection.take_credit()
    socket.say(gap(2, 2))  # it was listening for this one already
    await socket.hear_ack("results", 2)
    socket.say(gap(3, 3))
    assert await socket.is_silent()
    connection.give_credit()
    await socket.hear_ack("results", 3)
    await socket.leave()


class Transport:
    """Notes whether it is to be read."""

    is_read = True

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        self.is_read = False

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        self.is_read = True


async def test_daphne_stops_reading_what_nobody_takes() -> None:
    socket = BoundedSocket()
    socket.client_addr = None
    socket.transport = Transport()
    socket.application_queue = asyncio.Queue()
    is_read = []
    for _ in range(MOST_QUEUED + 1):
        is_read.append(socket.transport.is_read)
        socket.onMessage(b"news", True)  # noqa: FBT003 - Autobahn's words
    assert is_read == [True] * MOST_QUEUED + [False]

    async def take(_scope: Any, receive: Any, _send: Any) -> None:
        for _ in range(MOST_QUEUED):
            await receive()
            assert not socket.transport.is_read
        await receive()

    scope: Any = {"type": "websocket", SOCKET: socket}
    await let_flow(take)(scope, socket.application_queue.get, socket.application_queue.put)
    assert socket.transport.is_read
    assert SOCKET not in scope
