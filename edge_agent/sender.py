"""Sends what the outbox holds over one connection: lanes in order, a few batches at a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, assert_never

import msgspec
import structlog

from edge_agent.live import LiveDesk
from edge_agent.outbox import Outbox, Problems
from edge_agent.portions import MAX_BATCH_BYTES, Batch, Portions
from edge_agent.spool.spool import Run
from processing.wire.messages import (
    LANES,
    Ack,
    AgentMessage,
    EventBatch,
    EventRaised,
    Gap,
    Lane,
    Result,
    ResultBatch,
    SampleBatch,
    SampleOffered,
)

Send = Callable[[AgentMessage], Awaitable[None]]

_ACK_PATIENCE_S: Final = 30.0
_REJECTION_SHOWN_S: Final = 600.0

_results = msgspec.msgpack.Decoder(Result)
_events = msgspec.msgpack.Decoder(EventRaised)
_samples = msgspec.msgpack.Decoder(SampleOffered)

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
        self._news = asyncio.Event()
        self._progress_at = time.monotonic()

    def wake(self) -> None:
        """Say that there may be something to send."""
        self._news.set()

    async def run(self) -> None:
        """Send until cancelled. Raise `SendingStopped`, or what `send` raises."""
        while True:
            self._news.clear()
            if await self._send_durable() or await self._send_picture():
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
            await asyncio.wait_for(self._news.wait(), max(0.0, patience))
        except TimeoutError as error:
            message = f"the hub has acknowledged nothing for {_ACK_PATIENCE_S:.0f} s"
            raise SendingStopped(message) from error

    async def _send_durable(self) -> bool:
        """Send the next batch of the first lane that has one, if the hub may be sent more."""
        if self._outbox.epoch != self._epoch:
            raise SendingStopped("the outbox has begun a new file")
        if len(self.in_flight) >= self._portions.n_batches:
            return False
        for lane in LANES:
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
            except msgspec.DecodeError:
                await self._take_out_unreadable(lane, found)
                return
        self._sent[lane] = found.last_seq
        first, is_gap = found.first_seq, isinstance(found, Gap)
        self.in_flight.append(Batch(lane, first, found.last_seq, is_gap=is_gap))
        await self._send(message)

    async def _send_picture(self) -> bool:
        picture = self._live.take()
        if picture is None:
            return False
        await self._send(picture)
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


def batch_of(lane: Lane, run: Run, *, epoch: int) -> ResultBatch | EventBatch | SampleBatch:
    """Return the message that carries a run; raise `msgspec.DecodeError` if it is not readable."""
    first = run.first_seq
    match lane:
        case "results":
            results = tuple(_results.decode(body) for body in run.bodies)
            return ResultBatch(epoch=epoch, first_seq=first, entries=results)
        case "media":
            samples = tuple(_samples.decode(body) for body in run.bodies)
            return SampleBatch(epoch=epoch, first_seq=first, entries=samples)
        case "alerts" | "events":
            events = tuple(_events.decode(body) for body in run.bodies)
            return EventBatch(epoch=epoch, first_seq=first, lane=lane, entries=events)
        case _:
            assert_never(lane)
