"""Sends what the outbox holds over one connection: lanes in order, a few batches at a time."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeAlias, TypeVar, assert_never

import msgspec
import structlog

from edge_agent.live import LiveDesk
from edge_agent.outbox import Outbox, Problems
from edge_agent.portions import MAX_BATCH_BYTES, Batch, Portions
from edge_agent.spool.spool import Run
from processing.wire.limits import CREDIT_BYTES
from processing.wire.messages import (
    LANES,
    Ack,
    AgentMessage,
    ClipMissing,
    EventBatch,
    EventRaised,
    Gap,
    Lane,
    Result,
    ResultBatch,
    SampleBatch,
    SampleOffered,
    Thumbnail,
    ThumbnailBatch,
)

T = TypeVar("T")

Send = Callable[[AgentMessage], Awaitable[None]]
LaneBatch: TypeAlias = ResultBatch | EventBatch | SampleBatch | ThumbnailBatch

_ACK_PATIENCE_S: Final = 30.0
_MOST_WORDS: Final = 64
_REJECTION_SHOWN_S: Final = 600.0

_results = msgspec.msgpack.Decoder(Result)
_events = msgspec.msgpack.Decoder(EventRaised)
_samples = msgspec.msgpack.Decoder(SampleOffered)
_thumbnails = msgspec.msgpack.Decoder(Thumbnail)

log = structlog.get_logger()


class SendingStopped(Exception):
    """This connection is of no use any more; the text says why."""


class Sender:
    """One connection's worth. All on the event loop."""

    def __init__(
        self,
        outbox: Outbox,
        live: LiveDesk,
        *,
        portions: Portions,
        problems: Problems,
        taken: Mapping[Lane, int],
        send: Send,
    ) -> None:
        """Begin after the numbers (`taken`, by lane) that the hub has already."""
        self._outbox = outbox
        self._live = live
        self._portions = portions
        self._problems = problems
        self._send = send
        self._epoch = outbox.epoch
        self._sent = {lane: taken.get(lane, 0) for lane in LANES}
        self.in_flight: list[Batch] = []
        self._words: deque[ClipMissing] = deque(maxlen=_MOST_WORDS)
        self._news = asyncio.Event()
        self._progress_at = time.monotonic()

    def wake(self) -> None:
        """Say that there may be something to send."""
        self._news.set()

    def say(self, message: ClipMissing) -> None:
        """Send this before anything else; it is not kept."""
        self._words.append(message)
        self.wake()

    async def run(self) -> None:
        """Send until cancelled. Raise `SendingStopped`, or what `send` raises."""
        while True:
            self._news.clear()
            if await self._send_words() or await self._send_durable() or await self._send_live():
                continue
            await self._wait()

    def acked(self, ack: Ack) -> None:
        """Take note of what the hub has committed."""
        if ack.epoch != self._epoch:
            return
        through = min(ack.through_seq, self._sent[ack.lane])
        self._outbox.ack(ack.lane, ack.epoch, through)
        if ack.rejected:
            self._note_rejected(ack)
        n_before = len(self.in_flight)
        self.in_flight = [
            batch for batch in self.in_flight if batch.lane != ack.lane or batch.last_seq > through
        ]
        if len(self.in_flight) < n_before:
            self._portions.accepted()
            self._progress_at = time.monotonic()
            self.wake()

    async def _wait(self) -> None:
        if not self.in_flight:
            await self._news.wait()
            self._progress_at = time.monotonic()
            return
        patience = self._progress_at + _ACK_PATIENCE_S - time.monotonic()
        try:
            # Not `wait_for`: in Python 3.11 it swallows a cancellation that comes with the news,
            # and the agent that is to end would go on.
            async with asyncio.timeout(max(0.0, patience)):
                await self._news.wait()
        except TimeoutError as error:
            message = f"the hub has acknowledged nothing for {_ACK_PATIENCE_S:.0f} s"
            raise SendingStopped(message) from error

    async def _send_durable(self) -> bool:
        """Send the next batch of the first lane that has one, if the hub may be sent more."""
        if self._outbox.epoch != self._epoch:
            raise SendingStopped("the outbox has begun a new file")
        n_free = self._portions.n_batches - len(self.in_flight)
        if sum(batch.n_bytes for batch in self.in_flight) >= CREDIT_BYTES:
            n_free = min(n_free, 0)
        for lane in LANES:
            # One more for alerts: the hub may hold back what is in flight of other lanes.
            is_spare = lane == "alerts" and not self._portions.is_cautious
            if n_free + is_spare <= 0:
                return False
            if self._outbox.last_seq(lane) <= self._sent[lane]:
                continue
            found = await asyncio.wrap_future(
                self._outbox.pending(
                    lane,
                    self._sent[lane],
                    limit=self._portions.n_entries,
                    max_bytes=MAX_BATCH_BYTES,
                )
            )
            if found is not None:
                await self._send_found(lane, found)
                return True
        return False

    async def _send_found(self, lane: Lane, found: Run | Gap) -> None:
        if isinstance(found, Gap):
            message: AgentMessage = found
        else:
            try:
                message = batch_of(lane, found, epoch=self._epoch)
                found = Run(found.first_seq, found.bodies[: len(message.entries)])
            except msgspec.DecodeError:
                await self._take_out_unreadable(lane, found)
                return
        self._sent[lane] = found.last_seq
        n_bytes = 0 if isinstance(found, Gap) else sum(map(len, found.bodies))
        batch = Batch(lane, found.first_seq, found.last_seq, n_bytes, isinstance(found, Gap))
        self.in_flight.append(batch)
        await self._send(message)

    async def _send_words(self) -> bool:
        if not self._words:
            return False
        await self._send(self._words.popleft())
        return True

    async def _send_live(self) -> bool:
        shown = self._live.take()
        if shown is None:
            return False
        await self._send(shown)
        return True

    async def _take_out_unreadable(self, lane: Lane, run: Run) -> None:
        """Find the entry that another version of this program wrote, and make it a gap."""
        for seq, body in enumerate(run.bodies, run.first_seq):
            try:
                batch_of(lane, Run(seq, (body,)), epoch=self._epoch)
            except msgspec.DecodeError:
                await asyncio.wrap_future(self._outbox.quarantine(lane, seq, "unreadable"))

    def _note_rejected(self, ack: Ack) -> None:
        self._outbox.reject(ack.lane, ack.epoch, ack.rejected)
        codes = sorted({rejection.code for rejection in ack.rejected})
        log.warning("hub.rejected", lane=ack.lane, n=len(ack.rejected), codes=codes)
        key = f"rejected.{ack.lane}"
        self._problems.problem(
            key,
            f"the hub will not store some {ack.lane} ({', '.join(codes)}): "
            f"{ack.rejected[0].detail or 'it does not say why'}",
        )
        loop = asyncio.get_running_loop()
        loop.call_later(_REJECTION_SHOWN_S, self._problems.solved, key)


def batch_of(lane: Lane, run: Run, *, epoch: int) -> LaneBatch:
    """Return the message that carries a run, or of the media lane's how much of it is of one kind.

    Raise `msgspec.DecodeError` if it is not readable.
    """
    first = run.first_seq
    match lane:
        case "results":
            results = tuple(_results.decode(body) for body in run.bodies)
            return ResultBatch(epoch=epoch, first_seq=first, entries=results)
        case "media":
            return _media_batch(run, epoch=epoch)
        case "alerts" | "events":
            events = tuple(_events.decode(body) for body in run.bodies)
            return EventBatch(epoch=epoch, first_seq=first, lane=lane, entries=events)
        case _:
            assert_never(lane)


def _media_batch(run: Run, *, epoch: int) -> SampleBatch | ThumbnailBatch:
    first = run.first_seq
    if thumbnails := _leading(_thumbnails, run.bodies):
        return ThumbnailBatch(epoch=epoch, first_seq=first, entries=thumbnails)
    if samples := _leading(_samples, run.bodies):
        return SampleBatch(epoch=epoch, first_seq=first, entries=samples)
    raise msgspec.DecodeError("neither a sample nor a thumbnail")


def _leading(decoder: msgspec.msgpack.Decoder[T], bodies: Sequence[bytes]) -> tuple[T, ...]:
    """Return the first bodies as far as they are what the decoder reads."""
    found: list[T] = []
    for body in bodies:
        try:
            found.append(decoder.decode(body))
        except msgspec.DecodeError:
            break
    return tuple(found)
