"""One connection to the hub, from its challenge to its end."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NoReturn, assert_never
from uuid import UUID

import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from edge_agent.clock import Clock
from edge_agent.health import Health
from edge_agent.identity import Identity
from edge_agent.live import LiveDesk
from edge_agent.outbox import Outbox
from edge_agent.portions import Batch, Portions
from edge_agent.sender import Sender, SendingStopped
from edge_agent.spool.database import SpoolDamaged, SpoolRefused
from processing.wire.codec import SUBPROTOCOL, Malformed, agent_codec
from processing.wire.limits import HANDSHAKE_TIMEOUT_S, HEARTBEAT_S
from processing.wire.messages import (
    LANES,
    PROTOCOL,
    Ack,
    AgentMessage,
    Challenge,
    ClipDemand,
    ClipMissing,
    DesiredState,
    Hello,
    HubMessage,
    Lane,
    LiveDemand,
    OverflowAccess,
    Refused,
    Welcome,
)

_LEAST_BETWEEN_REPORTS_S: Final = 0.25
_LAST_WORDS_S: Final = 0.5
_LISTEN_FIRST_S: Final = 0.3

log = structlog.get_logger()


class HubLost(Exception):
    """This connection is over; try again soon. The text says why."""


class WrongHub(Exception):
    """Another hub than the one that the agent belongs to; the text says so."""


class RefusedByHub(Exception):
    """The hub said no."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.detail or refused.code)
        self.refused: Final = refused


@dataclass(frozen=True, slots=True)
class Parts:
    """What a session tells the hub of, and what it tells of the hub."""

    identity: Identity
    boot_id: UUID
    software: str
    outbox: Outbox
    live: LiveDesk
    health: Health
    portions: Portions
    on_desired: Callable[[DesiredState], None]
    on_clips: Callable[[ClipDemand], None]
    now: Clock
    on_overflow: Callable[[OverflowAccess], None] = lambda _access: None


class Session:
    """Raises `HubLost`, `WrongHub` or `RefusedByHub`; it has no other end."""

    def __init__(self, socket: ClientConnection, parts: Parts) -> None:
        self._socket = socket
        self._parts = parts
        self._codec = agent_codec(SUBPROTOCOL)
        self._changed = asyncio.Event()
        self._sender: Sender | None = None

    async def run(self, *, on_welcome: Callable[[Welcome], None]) -> NoReturn:
        """Be let in, then send and listen."""
        try:
            welcome = await self._be_let_in()
            on_welcome(welcome)
            self._parts.on_desired(welcome.desired)
            await self._send_report()
            self._sender = await self._begin(welcome)
            await self._talk(self._sender)
        except ConnectionClosed as error:
            raise HubLost(_closed_in_words(error)) from error
        except SendingStopped as error:
            raise HubLost(str(error)) from error
        except (SpoolDamaged, SpoolRefused) as error:
            raise HubLost(f"the outbox cannot be read: {error}") from error
        raise HubLost("the connection has ended")

    @property
    def in_flight(self) -> list[Batch]:
        """Return what the hub has been sent and has not acknowledged."""
        return self._sender.in_flight if self._sender is not None else []

    def wake(self) -> None:
        """Say that there may be something to send."""
        if self._sender is not None:
            self._sender.wake()

    def say(self, message: ClipMissing) -> None:
        """Send this when its turn comes."""
        if self._sender is not None:
            self._sender.say(message)

    def state_changed(self) -> None:
        """Say that a report would read differently."""
        self._changed.set()

    # ------------------------------------------------------------ handshake

    async def _be_let_in(self) -> Welcome:
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                challenge = await self._hear()
                if not isinstance(challenge, Challenge):
                    _refuse(challenge, "a challenge")
                await self._send(self._hello(challenge))
                welcome = await self._hear()
        except TimeoutError as error:
            raise HubLost("the hub did not answer the greeting in time") from error
        except Malformed as error:
            raise HubLost(f"what answers is no hub: {error}") from error
        if not isinstance(welcome, Welcome):
            _refuse(welcome, "a welcome")
        return welcome

    def _hello(self, challenge: Challenge) -> Hello:
        parts, membership = self._parts, self._parts.identity.membership
        if challenge.hub_id != membership.hub_id:
            raise WrongHub("another hub answers at this address than the one enrolled with")
        epoch = parts.outbox.epoch
        signature = parts.identity.answer(
            hub_id=challenge.hub_id, nonce=challenge.nonce, epoch=epoch
        )
        return Hello(
            protocol=PROTOCOL,
            agent_id=membership.agent_id,
            epoch=epoch,
            boot_id=parts.boot_id,
            software=parts.software,
            clock_at=parts.now(),
            signature=signature,
        )

    async def _begin(self, welcome: Welcome) -> Sender:
        """Return a sender that goes on where the hub says it stands."""
        outbox = self._parts.outbox
        epoch = outbox.epoch
        taken: dict[Lane, int] = {
            cursor.lane: cursor.through_seq for cursor in welcome.cursors if cursor.epoch == epoch
        }
        if any(taken.get(lane, 0) > outbox.last_seq(lane) for lane in LANES):
            # Our file is older than what the hub had from it: a copy of this machine was restored.
            await asyncio.wrap_future(outbox.begin_epoch())
            raise HubLost("the hub has more of our outbox than we do; it is numbered anew")
        for lane, through_seq in taken.items():
            outbox.ack(lane, epoch, through_seq)
        return Sender(
            outbox,
            self._parts.live,
            portions=self._parts.portions,
            problems=self._parts.health,
            taken=taken,
            send=self._send,
        )

    # ------------------------------------------------------------ afterwards

    async def _talk(self, sender: Sender) -> None:
        """Send, report and listen at once; the first that fails ends them all."""
        tasks = [
            asyncio.create_task(work)
            for work in (self._listen(sender), self._send_batches(sender), self._report())
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            # A refusal may have come before the end that the others noticed.
            await asyncio.wait(tasks[:1], timeout=_LAST_WORDS_S)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        raise _most_telling([result for result in results if isinstance(result, Exception)])

    async def _send_batches(self, sender: Sender) -> None:
        if self._parts.portions.is_cautious:
            # If it is our report that the hub cannot take, no batch shall be blamed for it.
            await asyncio.sleep(_LISTEN_FIRST_S)
        await sender.run()

    async def _listen(self, sender: Sender) -> None:
        while True:
            try:
                message = await self._hear()
            except Malformed as error:
                # A newer hub may say what we do not understand; an ack that we miss is noticed.
                log.warning("hub.not_understood", reason=str(error))
                continue
            self._obey(sender, message)

    def _obey(self, sender: Sender, message: HubMessage) -> None:
        match message:
            case Ack():
                sender.acked(message)
            case DesiredState():
                self._parts.on_desired(message)
            case LiveDemand():
                self._parts.live.demand(message)
            case ClipDemand():
                self._parts.on_clips(message)
            case OverflowAccess():
                self._parts.on_overflow(message)
            case Refused():
                raise RefusedByHub(message)
            case Challenge() | Welcome():
                raise HubLost("the hub began to greet us again")
            case _:
                assert_never(message)

    async def _report(self) -> None:
        while True:
            self._changed.clear()
            await self._send_report()
            await asyncio.sleep(_LEAST_BETWEEN_REPORTS_S)
            try:
                async with asyncio.timeout(HEARTBEAT_S - _LEAST_BETWEEN_REPORTS_S):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _send_report(self) -> None:
        lanes = await asyncio.wrap_future(self._parts.outbox.states())
        await self._send(self._parts.health.report(lanes))

    # ------------------------------------------------------------ the socket

    async def _send(self, message: AgentMessage) -> None:
        await self._socket.send(self._codec.encode(message))

    async def _hear(self) -> HubMessage:
        data = await self._socket.recv(decode=False)
        return self._codec.decode(data)


def _refuse(message: HubMessage, expected: str) -> NoReturn:
    if isinstance(message, Refused):
        raise RefusedByHub(message)
    raise HubLost(f"the hub said {type(message).__name__} instead of {expected}")


def _most_telling(errors: list[Exception]) -> Exception:
    """Return the error that says most: a refusal rather than the end that it brings."""
    refusals = [error for error in errors if isinstance(error, RefusedByHub)]
    return next(iter(refusals + errors), HubLost("the connection has ended"))


def _closed_in_words(error: ConnectionClosed) -> str:
    if error.rcvd is None:
        return "the connection broke"
    return f"the hub closed the connection ({error.rcvd.code} {error.rcvd.reason})".replace(
        " )", ")"
    )
