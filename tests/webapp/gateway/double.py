"""An agent to test the gateway with: it speaks the wire over an ASGI app, without a network."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

import msgspec

from processing.wire.codec import SUBPROTOCOL, agent_codec
from processing.wire.identity import challenge_bytes
from processing.wire.messages import (
    PROTOCOL,
    Ack,
    AgentMessage,
    Challenge,
    Hello,
    HubMessage,
    Lane,
    Refused,
    Result,
    ResultBatch,
    Welcome,
)
from tests.factories import START, agent_key, make_detections
from webapp.gateway.socket import AgentSocket

PATIENCE_S = 10.0
M = TypeVar("M", bound=HubMessage)


class Closed(Exception):
    """The hub closed the socket."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Socket:
    """The agent's end of a websocket to an ASGI app."""

    def __init__(
        self,
        app: AgentSocket,
        *,
        subprotocols: Sequence[str] = (SUBPROTOCOL,),
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        self._to_hub: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._to_agent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        scope = {
            "type": "websocket",
            "path": "/agent/ws",
            "subprotocols": list(subprotocols),
            "headers": list(headers),
            "client": ["127.0.0.1", 1],
        }
        self._to_hub.put_nowait({"type": "websocket.connect"})
        self._app = asyncio.create_task(app(scope, self._to_hub.get, self._to_agent.put))  # type: ignore[arg-type]  # plain dicts will do
        self._codec = agent_codec(subprotocols[0]) if subprotocols else agent_codec(SUBPROTOCOL)

    async def accepted(self) -> str | None:
        """Return the subprotocol the hub chose; raise `Closed` when it would not have us."""
        event = await self._event()
        assert event["type"] == "websocket.accept"
        return event.get("subprotocol")

    def say(self, message: AgentMessage) -> None:
        data = self._codec.encode(message)
        if self._codec.is_text:
            self._to_hub.put_nowait({"type": "websocket.receive", "text": data.decode()})
        else:
            self.say_bytes(data)

    def say_bytes(self, data: bytes) -> None:
        self._to_hub.put_nowait({"type": "websocket.receive", "bytes": data})

    async def hear(self, kind: type[M]) -> M:
        """Return the next message, which is a `kind`; raise `Closed` when there is none."""
        message = await self.hear_any()
        assert isinstance(message, kind), message
        return message

    async def hear_any(self) -> HubMessage:
        event = await self._event()
        assert event["type"] == "websocket.send", event
        return self._codec.decode(event.get("bytes") or event["text"].encode())

    async def hear_ack(self, lane: Lane, through_seq: int) -> Ack:
        """Return the ack that says so much; those before it say less."""
        while True:
            ack = await self.hear(Ack)
            assert ack.lane == lane
            if ack.through_seq >= through_seq:
                assert ack.through_seq == through_seq
                return ack

    async def be_refused(self, code: str) -> Refused:
        """Expect words, and then the end."""
        refused = await self.hear(Refused)
        assert refused.code == code
        try:
            await self._event()
        except Closed:
            await self.leave()
            return refused
        raise AssertionError("the hub went on")

    async def is_silent(self, for_s: float = 0.05) -> bool:
        """Return whether the hub says nothing for a while."""
        await asyncio.sleep(for_s)
        return self._to_agent.empty()

    async def leave(self) -> None:
        """Hang up, and wait until the hub has noticed."""
        self._to_hub.put_nowait({"type": "websocket.disconnect", "code": 1000})
        async with asyncio.timeout(PATIENCE_S):
            await self._app

    async def _event(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            event = await self._to_agent.get()
        if event["type"] == "websocket.close":
            raise Closed(event["code"])
        return event


def make_hello(challenge: Challenge, agent_id: UUID, **fields: Any) -> Hello:
    """Return the right answer to a challenge, except where `fields` say otherwise."""
    epoch = fields.get("epoch", 1)
    signed = challenge_bytes(
        hub_id=challenge.hub_id, nonce=challenge.nonce, agent_id=agent_id, epoch=epoch
    )
    hello = Hello(
        protocol=PROTOCOL,
        agent_id=agent_id,
        epoch=epoch,
        boot_id=uuid4(),
        software="test 1",
        clock_at=START,
        signature=agent_key(agent_id).sign(signed),
    )
    return msgspec.structs.replace(hello, **fields)


async def connect(app: AgentSocket, agent_id: UUID, **fields: Any) -> tuple[Socket, Welcome]:
    """Return a socket that was let in, and the hub's welcome."""
    socket = Socket(app)
    await socket.accepted()
    challenge = await socket.hear(Challenge)
    socket.say(make_hello(challenge, agent_id, **fields))
    return socket, await socket.hear(Welcome)


def make_entry(camera_id: UUID, *labels: int, at: datetime = START, **fields: Any) -> Result:
    """Return a result of a bundle with three labels."""
    entry = Result(
        camera_id=camera_id,
        captured_at=at,
        bundle=bytes(15) + b"\x01",
        detections=make_detections(*labels),
        n_started=tuple((label, 1) for label in sorted(set(labels))),
        latency_ms=40.0,
    )
    return msgspec.structs.replace(entry, **fields)


def make_batch(first_seq: int, *entries: Result, epoch: int = 1) -> ResultBatch:
    return ResultBatch(epoch=epoch, first_seq=first_seq, entries=entries)
