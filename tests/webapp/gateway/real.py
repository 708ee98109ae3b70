"""An agent over a real websocket to a real hub process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID, uuid4

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from processing.wire.codec import SUBPROTOCOL, agent_codec
from processing.wire.identity import (
    EnrollRequest,
    EnrollResponse,
    challenge_bytes,
    enroll_bytes,
)
from processing.wire.limits import MAX_MESSAGE_BYTES
from processing.wire.messages import PROTOCOL, AgentMessage, Challenge, Hello, HubMessage, Welcome
from tests.journeys.processes import Hub


@dataclass(frozen=True)
class Enrolled:
    """A key that the hub knows."""

    key: Ed25519PrivateKey
    agent_id: UUID
    hub_id: UUID

    def hello(self, challenge: Challenge, *, epoch: int = 1) -> Hello:
        signed = challenge_bytes(
            hub_id=self.hub_id, nonce=challenge.nonce, agent_id=self.agent_id, epoch=epoch
        )
        return Hello(
            protocol=PROTOCOL,
            agent_id=self.agent_id,
            epoch=epoch,
            boot_id=uuid4(),
            software="test 1",
            clock_at=datetime.now(UTC),
            signature=self.key.sign(signed),
        )


def enrol(hub: Hub, token: str) -> Enrolled:
    """Join as an agent does, over HTTP."""
    key = Ed25519PrivateKey.generate()
    public_key = key.public_key().public_bytes_raw()
    request = EnrollRequest(
        token=token,
        public_key=public_key,
        signature=key.sign(enroll_bytes(token=token, public_key=public_key)),
        name="demo",
        software="test 1",
    )
    answer = httpx.post(
        f"{hub.url}/api/v1/agents/enroll",
        content=msgspec.json.encode(request),
        headers={"content-type": "application/json"},
        timeout=20,
        trust_env=False,
    )
    assert answer.is_success, answer.text
    response = msgspec.json.decode(answer.content, type=EnrollResponse)
    return Enrolled(key, response.agent_id, response.hub_id)


class Reached(Protocol):
    """Whatever answers on a port of loopback."""

    port: int


class Line:
    """A websocket on which messages go back and forth."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._codec = agent_codec(SUBPROTOCOL)

    async def say(self, message: AgentMessage) -> None:
        await self._socket.send(self._codec.encode(message))

    async def say_bytes(self, data: bytes) -> None:
        await self._socket.send(data)

    async def hear(self) -> HubMessage:
        return self._codec.decode(await self._socket.recv(decode=False))


@asynccontextmanager
async def dialled(hub: Reached) -> AsyncIterator[Line]:
    """Yield a line to the hub on which nothing was said yet."""
    async with connect(
        f"ws://127.0.0.1:{hub.port}/agent/ws",
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        compression=None,
        max_size=MAX_MESSAGE_BYTES,
        proxy=None,
        close_timeout=2,
    ) as socket:
        yield Line(socket)


@asynccontextmanager
async def connected(hub: Reached, agent: Enrolled) -> AsyncIterator[tuple[Line, Welcome]]:
    """Yield a line on which the agent was welcomed."""
    async with dialled(hub) as line:
        challenge = await line.hear()
        assert isinstance(challenge, Challenge)
        await line.say(agent.hello(challenge))
        welcome = await line.hear()
        assert isinstance(welcome, Welcome), welcome
        yield line, welcome
