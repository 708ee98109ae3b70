"""Agents that deliver as fast as they are acknowledged: `python -m … < spec`, a process of its own.

It says `ready` once all are connected, waits for a line, and then says how long it took.
"""

import asyncio
import sys
import time
from datetime import datetime
from typing import Final
from uuid import uuid4

import msgspec

from benchmarks.ingest_path.rawsocket import Hangup, RawSocket, frame_of
from benchmarks.ingest_path.traffic import DIGEST, LABELS, AgentSpec, make_batches
from processing.wire.codec import SUBPROTOCOL, Codec, agent_codec
from processing.wire.identity import challenge_bytes
from processing.wire.limits import CREDIT_BATCHES, HEARTBEAT_S
from processing.wire.messages import (
    PROTOCOL,
    Ack,
    BundleState,
    Challenge,
    Hello,
    HubMessage,
    Refused,
    StateReport,
    Welcome,
)

_CONNECT_AT_ONCE: Final = 16


class Spec(msgspec.Struct, frozen=True):
    """What the swarm is to do."""

    port: int
    agents: list[AgentSpec]
    epoch: int
    begun_at: datetime
    n_results: int
    """Of each agent."""
    per_message: int


class Delivered(msgspec.Struct, frozen=True):
    """What came of it."""

    seconds: float
    n_acked: int
    connect_s: float


class Caller:
    """One agent: a connection, and what it is going to send."""

    def __init__(self, spec: Spec, agent: AgentSpec, socket: RawSocket) -> None:
        self._codec: Codec[HubMessage] = agent_codec(SUBPROTOCOL)
        self._spec = spec
        self._agent = agent
        self._socket = socket
        self._frames: list[bytes] = []
        self._report = b""

    async def greet(self) -> None:
        """Be let in, say which bundle runs, and get everything ready to send."""
        challenge = self._codec.decode(await self._socket.receive())
        assert isinstance(challenge, Challenge)
        signed = challenge_bytes(
            hub_id=challenge.hub_id,
            nonce=challenge.nonce,
            agent_id=self._agent.agent_id,
            epoch=self._spec.epoch,
        )
        hello = Hello(
            protocol=PROTOCOL,
            agent_id=self._agent.agent_id,
            epoch=self._spec.epoch,
            boot_id=uuid4(),
            software="benchmark",
            clock_at=challenge.server_at,
            signature=self._agent.key.sign(signed),
        )
        self._socket.send(frame_of(self._codec.encode(hello)))
        welcome = self._codec.decode(await self._socket.receive())
        if not isinstance(welcome, Welcome):
            raise Hangup(str(welcome))
        bundle = BundleState(digest=DIGEST, name="benchmark", version="1", labels=LABELS)
        report = StateReport(at=challenge.server_at, desired_version=1, bundles=(bundle,))
        self._report = frame_of(self._codec.encode(report))
        batches = make_batches(
            self._agent.camera_id,
            epoch=self._spec.epoch,
            begun_at=self._spec.begun_at,
            n_results=self._spec.n_results,
            per_message=self._spec.per_message,
        )
        self._frames = [frame_of(self._codec.encode(batch)) for batch in batches]

    async def live(self) -> None:
        """Report at once and then as often as agents do, until cancelled."""
        while True:
            self._socket.send(self._report)
            await asyncio.sleep(HEARTBEAT_S)

    async def deliver(self) -> int:
        """Send all, a few batches ahead of the acks; return how many entries were taken."""
        n_sent = n_done = acked = 0
        while n_done < len(self._frames):
            while n_sent < len(self._frames) and n_sent - n_done < CREDIT_BATCHES:
                self._socket.send(self._frames[n_sent])
                n_sent += 1
            message = self._codec.decode(await self._socket.receive())
            if isinstance(message, Ack):
                assert not message.rejected, message.rejected[0]
                acked = message.through_seq
                n_done = acked // self._spec.per_message
            elif isinstance(message, Refused):
                raise Hangup(f"{message.code}: {message.detail}")
        return acked

    def hang_up(self) -> None:
        self._socket.close()


async def _run(spec: Spec) -> Delivered:
    begun = time.perf_counter()
    door = asyncio.Semaphore(_CONNECT_AT_ONCE)
    lives: list[asyncio.Task[None]] = []

    async def connect(agent: AgentSpec) -> Caller:
        async with door:
            caller = Caller(spec, agent, await RawSocket.open(spec.port, "/agent/ws", SUBPROTOCOL))
            await caller.greet()
            lives.append(asyncio.create_task(caller.live()))
            return caller

    callers = await asyncio.gather(*(connect(agent) for agent in spec.agents))
    connect_s = time.perf_counter() - begun
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    begun = time.perf_counter()
    acked = await asyncio.gather(*(caller.deliver() for caller in callers))
    seconds = time.perf_counter() - begun
    for life in lives:
        life.cancel()
    for caller in callers:
        caller.hang_up()
    return Delivered(seconds, sum(acked), connect_s)


def main() -> None:
    spec = msgspec.json.decode(sys.stdin.readline(), type=Spec)
    print(msgspec.json.encode(asyncio.run(_run(spec))).decode(), flush=True)


if __name__ == "__main__":
    main()
