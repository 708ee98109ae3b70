"""What waits to be sent to one agent: bounded, because of each kind only the newest counts."""

import asyncio

from asgiref.typing import ASGISendCallable, WebSocketSendEvent

from processing.wire.codec import Codec
from processing.wire.limits import MAX_ENTRIES
from processing.wire.messages import (
    Ack,
    AgentMessage,
    ClipDemand,
    DesiredState,
    HubMessage,
    Lane,
    LiveDemand,
    OverflowAccess,
)
from webapp.gateway.refusal import TRY_LATER, Refusal


class Outbound:
    """The hub's side of one connection; everything here runs on the event loop."""

    def __init__(self) -> None:
        self._acks: dict[Lane, Ack] = {}
        self._full_acks: list[Ack] = []
        self._desired: DesiredState | None = None
        self._demand: LiveDemand | None = None
        self._clips: ClipDemand | None = None
        self._access: OverflowAccess | None = None
        self._ending: Refusal | int | None = None
        self._arrived = asyncio.Event()

    def ack(self, ack: Ack) -> None:
        """Acknowledge; a later one of the lane says all that an earlier one said."""
        earlier = self._acks.get(ack.lane)
        if earlier is not None and earlier.rejected:
            rejected = earlier.rejected + ack.rejected
            if len(rejected) > MAX_ENTRIES:
                self._full_acks.append(earlier)
            else:
                ack = Ack(
                    epoch=ack.epoch, lane=ack.lane, through_seq=ack.through_seq, rejected=rejected
                )
        self._acks[ack.lane] = ack
        self._arrived.set()

    def desire(self, desired: DesiredState) -> None:
        self._desired = desired
        self._arrived.set()

    def demand(self, demand: LiveDemand) -> None:
        self._demand = demand
        self._arrived.set()

    def want_clips(self, demand: ClipDemand) -> None:
        self._clips = demand
        self._arrived.set()

    def give_access(self, access: OverflowAccess) -> None:
        self._access = access
        self._arrived.set()

    def end(self, why: Refusal | int = TRY_LATER) -> None:
        """Close the connection with a refusal's words or a bare close code; the first counts."""
        if self._ending is None:
            self._ending = why
        self._arrived.set()

    async def run(self, send: ASGISendCallable, codec: Codec[AgentMessage]) -> None:
        """Send what arrives until the connection is to end."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            for message in self._taken():
                await send(frame(codec, message))
            if self._ending is not None:
                await send_end(send, codec, self._ending)
                return

    def _taken(self) -> list[HubMessage]:
        taken: list[HubMessage] = [*self._full_acks, *self._acks.values()]
        newest = (self._desired, self._demand, self._clips, self._access)
        taken.extend(one for one in newest if one is not None)
        self._full_acks, self._acks = [], {}
        self._desired = self._demand = self._clips = self._access = None
        return taken


def frame(codec: Codec[AgentMessage], message: HubMessage) -> WebSocketSendEvent:
    """Return the ASGI event that sends `message`."""
    data = codec.encode(message)
    if codec.is_text:
        return {"type": "websocket.send", "bytes": None, "text": data.decode()}
    return {"type": "websocket.send", "bytes": data, "text": None}


async def send_end(send: ASGISendCallable, codec: Codec[AgentMessage], why: Refusal | int) -> None:
    """Say why, and close."""
    if isinstance(why, Refusal):
        await send(frame(codec, why.message()))
        why = why.close_code
    await send({"type": "websocket.close", "code": why, "reason": None})
