"""Agents that lose their hub and come back: `python -m … < spec`, a process of its own.

It says `ready` once all were let in, waits for a line, by when the hub is gone and all have a
backlog, and says when the last of it was acknowledged. Connecting and waiting are as the agent's.
"""

import asyncio
import random
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

import msgspec

from benchmarks.ingest_path.rawsocket import Hangup, RawSocket, frame_of
from benchmarks.ingest_path.traffic import DIGEST, LABELS, AgentSpec, make_frames, make_results
from edge_agent.backoff import Backoff
from processing.wire.codec import SUBPROTOCOL, Malformed, agent_codec
from processing.wire.identity import challenge_bytes
from processing.wire.limits import CREDIT_BATCHES, HANDSHAKE_TIMEOUT_S, HEARTBEAT_S, MAX_ENTRIES
from processing.wire.messages import (
    PROTOCOL,
    Ack,
    BundleState,
    CameraState,
    Challenge,
    EventBatch,
    EventRaised,
    Hello,
    Lane,
    LaneState,
    Refused,
    ResultBatch,
    StateReport,
    Welcome,
)

_EPOCH: Final = 1
_BASE_S: Final = 0.25
_CAP_S: Final = 10.0
_CONNECT_S: Final = 10.0
_STABLE_S: Final = 10.0
_PATIENCE_S: Final = 30.0
"""Without an acknowledgement; as the agent's."""
_LANES: Final[tuple[Lane, ...]] = ("alerts", "results")


class HerdSpec(msgspec.Struct, frozen=True):
    """What a herd is to do."""

    port: int
    agents: list[AgentSpec]
    n_results: int
    """The backlog of each agent."""
    n_alerts: int


class CaughtUp(msgspec.Struct, frozen=True):
    """What came of it."""

    at: float
    """When the last was acknowledged, by `time.time`."""
    last_in_at: float
    """When the last agent was let in again."""
    alerts_at: float
    """When the last alert was acknowledged."""
    n_connects: int
    """Tries that the new hub heard of."""


class Sheep:
    """One agent with an outbox in memory."""

    def __init__(self, spec: HerdSpec, agent: AgentSpec, frames: list[bytes]) -> None:
        self._spec = spec
        self._agent = agent
        self._codec = agent_codec(SUBPROTOCOL)
        self._backoff = Backoff(base_s=_BASE_S, cap_s=_CAP_S, dice=random.random)
        self._results = list(
            make_results(
                agent.camera_id,
                frames,
                datetime.now(UTC) - timedelta(hours=1),  # noqa: TID251 - the benchmark's clock
                spec.n_results,
            )
        )
        self._last: dict[Lane, int] = {"alerts": 0, "results": 0}
        self._acked: dict[Lane, int] = {"alerts": 0, "results": 0}
        self.is_in = asyncio.Event()
        self.is_done = asyncio.Event()
        self.in_at = self.alerts_at = self.done_at = 0.0
        self.n_connects = 0

    def fall_behind(self) -> None:
        """Have a backlog."""
        self._last = {"alerts": self._spec.n_alerts, "results": self._spec.n_results}
        self.is_in.clear()
        self.n_connects = 0

    async def live(self) -> None:
        """Connect, deliver and stay; for ever."""
        while True:
            with suppress(OSError, asyncio.IncompleteReadError, TimeoutError, Hangup, Malformed):
                socket = await self._connect()
                try:
                    await self._talk(socket)
                finally:
                    socket.close()
            await asyncio.sleep(self._backoff.next_s())

    async def _connect(self) -> RawSocket:
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await RawSocket.open(self._spec.port, "/agent/ws", SUBPROTOCOL)
        except ConnectionRefusedError:  # there is no hub yet
            self.n_connects -= 1
            raise
        finally:
            self.n_connects += 1

    async def _talk(self, socket: RawSocket) -> None:
        async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
            welcome = await self._be_let_in(socket)
        self._acked = {
            cursor.lane: cursor.through_seq for cursor in welcome.cursors if cursor.lane in _LANES
        }
        self.in_at = time.time()
        self.is_in.set()
        heart = asyncio.create_task(self._beat(socket))
        try:
            await self._deliver(socket)
        finally:
            heart.cancel()
            if time.time() - self.in_at > _STABLE_S:
                self._backoff.reset()

    async def _be_let_in(self, socket: RawSocket) -> Welcome:
        challenge = self._codec.decode(await socket.receive())
        assert isinstance(challenge, Challenge)
        signed = challenge_bytes(
            hub_id=challenge.hub_id,
            nonce=challenge.nonce,
            agent_id=self._agent.agent_id,
            epoch=_EPOCH,
        )
        hello = Hello(
            protocol=PROTOCOL,
            agent_id=self._agent.agent_id,
            epoch=_EPOCH,
            boot_id=uuid4(),
            software="benchmark",
            clock_at=challenge.server_at,
            signature=self._agent.key.sign(signed),
        )
        socket.send(frame_of(self._codec.encode(hello)))
        welcome = self._codec.decode(await socket.receive())
        if not isinstance(welcome, Welcome):
            raise Hangup(str(welcome))
        return welcome

    async def _beat(self, socket: RawSocket) -> None:
        bundle = BundleState(digest=DIGEST, name="benchmark", version="1", labels=LABELS)
        begun_at = datetime.now(UTC)  # noqa: TID251 - the benchmark's clock
        camera = CameraState(
            camera_id=self._agent.camera_id, state="online", since_at=begun_at, fps=10.0
        )
        while True:
            report = StateReport(
                at=datetime.now(UTC),  # noqa: TID251 - the benchmark's clock
                desired_version=1,
                cameras=(camera,),
                bundles=(bundle,),
                lanes=tuple(
                    LaneState(lane=lane, n_pending=self._last[lane] - self._acked[lane])
                    for lane in _LANES
                ),
            )
            socket.send(frame_of(self._codec.encode(report)))
            await asyncio.sleep(HEARTBEAT_S)

    async def _deliver(self, socket: RawSocket) -> None:
        sent = dict(self._acked)
        in_flight: list[tuple[Lane, int]] = []
        while True:
            for lane in _LANES:
                while sent[lane] < self._last[lane] and len(in_flight) < CREDIT_BATCHES:
                    batch = self._batch(lane, sent[lane] + 1)
                    sent[lane] += len(batch.entries)
                    in_flight.append((lane, sent[lane]))
                    socket.send(frame_of(self._codec.encode(batch)))
            async with asyncio.timeout(_PATIENCE_S if in_flight else None):
                message = self._codec.decode(await socket.receive())
            if isinstance(message, Refused):
                raise Hangup(message.code)
            if isinstance(message, Ack):
                self._take(message)
                in_flight = [
                    (lane, through) for lane, through in in_flight if through > self._acked[lane]
                ]

    def _batch(self, lane: Lane, first_seq: int) -> ResultBatch | EventBatch:
        if lane == "results":
            entries = tuple(self._results[first_seq - 1 : first_seq - 1 + MAX_ENTRIES])
            return ResultBatch(epoch=_EPOCH, first_seq=first_seq, entries=entries)
        alert = EventRaised(
            kind="storm",
            occurred_at=datetime.now(UTC),  # noqa: TID251 - the benchmark's clock
            title=f"Alert {first_seq}",
            severity="error",
        )
        return EventBatch(epoch=_EPOCH, first_seq=first_seq, lane="alerts", entries=(alert,))

    def _take(self, ack: Ack) -> None:
        assert not ack.rejected, ack.rejected[0]
        self._acked[ack.lane] = max(ack.through_seq, self._acked[ack.lane])
        if ack.lane == "alerts":
            self.alerts_at = time.time()
        if self._last["results"] and self._acked == self._last and not self.is_done.is_set():
            self.done_at = time.time()
            self.is_done.set()


async def _run(spec: HerdSpec) -> CaughtUp:
    frames = make_frames()
    herd = [Sheep(spec, agent, frames) for agent in spec.agents]
    lives = [asyncio.create_task(sheep.live()) for sheep in herd]
    await asyncio.gather(*(sheep.is_in.wait() for sheep in herd))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for sheep in herd:
        sheep.fall_behind()
    print("behind", flush=True)
    await asyncio.gather(*(sheep.is_done.wait() for sheep in herd))
    for life in lives:
        life.cancel()
    return CaughtUp(
        at=max(sheep.done_at for sheep in herd),
        last_in_at=max(sheep.in_at for sheep in herd),
        alerts_at=max(sheep.alerts_at for sheep in herd),
        n_connects=sum(sheep.n_connects for sheep in herd),
    )


def main() -> None:
    spec = msgspec.json.decode(sys.stdin.readline(), type=HerdSpec)
    print(msgspec.json.encode(asyncio.run(_run(spec))).decode(), flush=True)


if __name__ == "__main__":
    main()
