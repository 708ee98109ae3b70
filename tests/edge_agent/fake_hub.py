"""A hub in the test's own event loop: speaks the wire for real, keeps what it gets in memory."""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias, assert_never
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from edge_agent.clock import utc_now
from processing.wire.codec import SUBPROTOCOL, hub_codec
from processing.wire.identity import challenge_bytes
from processing.wire.messages import (
    PROTOCOL,
    Ack,
    AgentMessage,
    Challenge,
    ClipMissing,
    Cursor,
    DesiredState,
    EventBatch,
    EventRaised,
    Gap,
    Hello,
    HubMessage,
    Lane,
    LiveBoxes,
    LivePicture,
    LiveVideo,
    Refused,
    Rejection,
    Result,
    ResultBatch,
    SampleBatch,
    SampleOffered,
    StateReport,
    Thumbnail,
    ThumbnailBatch,
    Welcome,
)

Batch: TypeAlias = ResultBatch | EventBatch | SampleBatch | ThumbnailBatch
Entry: TypeAlias = Result | EventRaised | SampleOffered | Thumbnail
Reaction: TypeAlias = Refused | tuple[Rejection, ...] | None


class Cut(Exception):
    """End this connection without a word."""


class FakeHub:
    """Set `react`, `n_acks` and so on before or while it runs."""

    def __init__(self, agent_id: UUID, public_key: bytes) -> None:
        self.hub_id = UUID(int=99)
        self.agent_id = agent_id
        self.public_key = public_key
        self.desired = DesiredState(version=0)
        self.url = ""
        # What it got.
        self.stored: dict[tuple[int, Lane, int], Entry] = {}
        self.n_repeated = 0
        self.gaps: list[Gap] = []
        self.batches: list[Batch] = []
        self.reports: list[StateReport] = []
        self.pictures: list[LivePicture] = []
        self.video: list[LiveVideo | LiveBoxes] = []
        self.hellos: list[Hello] = []
        self.order: list[str] = []
        """The lanes of batches and gaps, and "picture", as they came."""
        # How it behaves.
        self.react: Callable[[Batch], Reaction] = lambda _batch: None
        """May refuse a batch, reject some of its entries, or raise `Cut`."""
        self.n_acks = 1
        """How often it says each ack; 0: it stores and is silent."""
        self.challenge_hub_id = self.hub_id
        self.cursors: dict[tuple[int, Lane], int] = {}
        self._codec = hub_codec(SUBPROTOCOL)
        self._sockets: set[ServerConnection] = set()

    @contextlib.asynccontextmanager
    async def run(self, port: int = 0) -> AsyncIterator["FakeHub"]:
        """Listen on loopback."""
        async with serve(
            self._serve, "127.0.0.1", port, subprotocols=[Subprotocol(SUBPROTOCOL)],
            compression=None, close_timeout=0.2,
        ) as server:  # fmt: skip
            port = next(iter(server.sockets)).getsockname()[1]
            self.url = f"http://127.0.0.1:{port}"
            yield self

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def lane(self, lane: Lane) -> list[Entry]:
        """Return what is stored of a lane, in the order of its numbers."""
        return [self.stored[key] for key in sorted(self.stored) if key[1] == lane]

    def counts(self) -> Counter[Lane]:
        return Counter(lane for _, lane, _ in self.stored)

    async def say(self, message: HubMessage) -> None:
        """Say something to every agent that is connected."""
        await self.say_bytes(self._codec.encode(message))

    async def say_bytes(self, content: bytes) -> None:
        """Say what may be no message."""
        for socket in tuple(self._sockets):
            await socket.send(content)

    def cut(self) -> None:
        """End all connections without a word."""
        for socket in tuple(self._sockets):
            socket.transport.abort()

    async def until(self, condition: Callable[[], object], *, timeout_s: float = 60.0) -> None:
        """Return once the condition holds."""
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110  # polls whatever the test looks at
                await asyncio.sleep(0.01)

    # ------------------------------------------------------------ one connection

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        assert socket.request.path == "/agent/ws"
        assert "Cookie" not in socket.request.headers
        with contextlib.suppress(ConnectionClosed):
            try:
                if await self._greet(socket):
                    self._sockets.add(socket)
                    await self._listen(socket)
            except Cut:
                socket.transport.abort()
            finally:
                self._sockets.discard(socket)

    async def _greet(self, socket: ServerConnection) -> bool:
        nonce = secrets.token_bytes(32)
        await self._tell(
            socket,
            Challenge(
                protocol=PROTOCOL, hub_id=self.challenge_hub_id, nonce=nonce, server_at=utc_now()
            ),
        )
        hello = await self._hear(socket)
        assert isinstance(hello, Hello)
        self.hellos.append(hello)
        signed = challenge_bytes(
            hub_id=self.hub_id, nonce=nonce, agent_id=self.agent_id, epoch=hello.epoch
        )
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(hello.signature, signed)
        except InvalidSignature:
            refused = Refused(code="bad_signature", detail="not its key", is_final=True)
            await self._tell(socket, refused)
            return False
        cursors = tuple(
            Cursor(lane=lane, epoch=epoch, through_seq=seq)
            for (epoch, lane), seq in self.cursors.items()
            if epoch == hello.epoch
        )
        await self._tell(
            socket,
            Welcome(agent_name="test", server_at=utc_now(), cursors=cursors, desired=self.desired),
        )
        return True

    def _look_at(self, seen: LiveVideo | LiveBoxes | LivePicture) -> None:
        if isinstance(seen, LivePicture):
            self.order.append("picture")
            self.pictures.append(seen)
        else:
            self.order.append("video")
            self.video.append(seen)

    async def _listen(self, socket: ServerConnection) -> None:
        while True:
            match await self._hear(socket):
                case StateReport() as report:
                    self.reports.append(report)
                case LiveVideo() | LiveBoxes() | LivePicture() as seen:
                    self._look_at(seen)
                case Gap() as gap:
                    self.gaps.append(gap)
                    self.order.append(gap.lane)
                    await self._advance(socket, gap.lane, gap.epoch, gap.last_seq)
                case Hello():
                    raise AssertionError("a second hello")
                case ClipMissing():
                    self.order.append("clip_missing")
                case ResultBatch() | EventBatch() | SampleBatch() | ThumbnailBatch() as batch:
                    await self._take(socket, batch)
                case message:
                    assert_never(message)

    async def _take(self, socket: ServerConnection, batch: Batch) -> None:
        lane = lane_of_batch(batch)
        self.batches.append(batch)
        self.order.append(lane)
        reaction = self.react(batch)
        if isinstance(reaction, Refused):
            await self._tell(socket, reaction)
            raise Cut
        rejected = reaction or ()
        refused = {rejection.seq for rejection in rejected}
        entries: tuple[Entry, ...] = batch.entries
        for seq, entry in enumerate(entries, batch.first_seq):
            key = (batch.epoch, lane, seq)
            self.n_repeated += key in self.stored
            if seq not in refused:
                self.stored.setdefault(key, entry)
        last = batch.first_seq + len(batch.entries) - 1
        await self._advance(socket, lane, batch.epoch, last, rejected)

    async def _advance(
        self,
        socket: ServerConnection,
        lane: Lane,
        epoch: int,
        through: int,
        rejected: tuple[Rejection, ...] = (),
    ) -> None:
        before = self.cursors.get((epoch, lane), 0)
        self.cursors[epoch, lane] = max(before, through)
        ack = Ack(epoch=epoch, lane=lane, through_seq=self.cursors[epoch, lane], rejected=rejected)
        for _ in range(self.n_acks):
            await self._tell(socket, ack)

    async def _tell(self, socket: ServerConnection, message: HubMessage) -> None:
        await socket.send(self._codec.encode(message))

    async def _hear(self, socket: ServerConnection) -> AgentMessage:
        return self._codec.decode(await socket.recv(decode=False))


def lane_of_batch(batch: Batch) -> Lane:
    match batch:
        case ResultBatch():
            return "results"
        case SampleBatch() | ThumbnailBatch():
            return "media"
        case EventBatch(lane=lane):
            return lane
