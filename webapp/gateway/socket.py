"""The websocket of agents: a bare ASGI app, because a message must not cost a task and a thread.

A stock Channels consumer makes one of each for every message, and spends five times the CPU.
"""

import asyncio
from typing import assert_never

import structlog
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, WebSocketScope
from django.db import DatabaseError, InterfaceError

from processing.wire.codec import SUBPROTOCOLS, Codec, Malformed, hub_codec
from processing.wire.limits import HANDSHAKE_TIMEOUT_S, MAX_MESSAGE_BYTES
from processing.wire.messages import (
    AgentMessage,
    Challenge,
    ClipMissing,
    EventBatch,
    Gap,
    Hello,
    LiveBoxes,
    LivePicture,
    LiveVideo,
    ResultBatch,
    SampleBatch,
    StateReport,
    ThumbnailBatch,
)
from webapp.common.metrics import REFUSALS
from webapp.gateway.connection import Connection
from webapp.gateway.gateway import Gateway
from webapp.gateway.handshake import Admission
from webapp.gateway.line import Line
from webapp.gateway.outbound import frame, send_end
from webapp.gateway.refusal import TRY_LATER, Refusal

log = structlog.get_logger(__name__)


class PeerLeft(Exception):
    """The other end closed the socket."""


class AgentSocket:
    """`/agent/ws`: a challenge, a hello, a welcome; then the agent delivers."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._line = Line()

    async def __call__(
        self, scope: WebSocketScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        self._gateway.start()
        await receive()
        subprotocol = _chosen(scope)
        if subprotocol is None or _is_browser(scope) or not await self._line.enter(receive):
            await send({"type": "websocket.close", "code": TRY_LATER, "reason": None})
            return
        codec = hub_codec(subprotocol)
        try:
            try:
                await send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": []})
                connection = await self._greet(codec, receive, send)
            finally:
                self._line.leave()
        except (PeerLeft, OSError):  # it has hung up, or is just doing so
            return
        except Refusal as refusal:
            log.info("agent.refused", code=refusal.code, client=scope.get("client"))
            REFUSALS.labels(refusal.code).inc()
            await send_end(send, codec, refusal)
        except (DatabaseError, InterfaceError):
            await send_end(send, codec, TRY_LATER)
        else:
            agent = str(connection.session.agent_id)
            with structlog.contextvars.bound_contextvars(agent=agent):
                await self._serve(connection, codec, receive, send)

    async def _greet(
        self, codec: Codec[AgentMessage], receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> Connection:
        """Return the connection of an agent that proved who it is."""
        try:
            challenge = await self._gateway.make_challenge()
            await send(frame(codec, challenge))
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                hello = read_message(codec, await _receive(receive))
            if not isinstance(hello, Hello):
                raise Refusal("malformed", "the first word is a hello")
            admission = await self._admit(hello, challenge, receive)
        except TimeoutError as error:
            raise Refusal("timeout", f"no hello in {HANDSHAKE_TIMEOUT_S:.0f} s") from error
        await send(frame(codec, admission.welcome))
        return Connection(admission.session, admission.welcome.desired, at=self._gateway.clock())

    async def _admit(
        self, hello: Hello, challenge: Challenge, receive: ASGIReceiveCallable
    ) -> Admission:
        """Begin a session, unless the agent hangs up first: it would have to be ended again."""
        admission = asyncio.ensure_future(self._gateway.admit(hello, challenge))
        next_word = asyncio.ensure_future(_receive(receive))
        try:
            await asyncio.wait((admission, next_word), return_when=asyncio.FIRST_COMPLETED)
            if next_word.done():
                next_word.result()
                raise Refusal("malformed", "after a hello the hub speaks next")
            return admission.result()
        finally:
            next_word.cancel()
            admission.cancel()

    async def _serve(
        self,
        connection: Connection,
        codec: Codec[AgentMessage],
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
    ) -> None:
        """Listen and answer until either end has enough."""
        await self._gateway.join(connection)
        listening = asyncio.create_task(self._listen(connection, codec, receive))
        sending = asyncio.create_task(connection.outbound.run(send, codec))
        refusal: Refusal | None = None
        try:
            await asyncio.wait({listening, sending}, return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                refusal = listening.result()
                if refusal is not None:
                    connection.outbound.end(refusal)
                    await sending
            elif sending.done():
                sending.result()
        except OSError:  # the socket is gone, or is just closing
            log.debug("agent.unreachable", agent=str(connection.session.agent_id))
        finally:
            listening.cancel()
            sending.cancel()
            self._gateway.connections.remove(connection)
        await self._gateway.leave(connection, refusal)

    async def _listen(
        self, connection: Connection, codec: Codec[AgentMessage], receive: ASGIReceiveCallable
    ) -> Refusal | None:
        """Take messages until the agent leaves, or one is refused; none while too much waits."""
        try:
            while True:
                await connection.has_room()
                data = await _receive(receive)
                connection.last_heard_at = self._gateway.clock()
                self._take(connection, read_message(codec, data), n_bytes=len(data))
        except PeerLeft:
            return None
        except Refusal as refusal:
            return refusal

    def _take(self, connection: Connection, message: AgentMessage, *, n_bytes: int) -> None:
        match message:
            case ResultBatch() | EventBatch() | SampleBatch() | ThumbnailBatch() | Gap():
                self._gateway.deliver(connection, message, n_bytes=n_bytes)
            case StateReport():
                self._gateway.report(connection, message, n_bytes=n_bytes)
            case LivePicture() | LiveVideo() | LiveBoxes():
                self._gateway.show(connection, message)
            case ClipMissing():
                self._gateway.miss_clip(connection, message, n_bytes=n_bytes)
            case Hello():
                raise Refusal("malformed", "a second hello")
            case _:
                assert_never(message)


async def _receive(receive: ASGIReceiveCallable) -> bytes:
    """Return what comes next, or raise `PeerLeft`."""
    event = await receive()
    if event["type"] != "websocket.receive":
        raise PeerLeft
    return event.get("bytes") or (event.get("text") or "").encode()


def read_message(codec: Codec[AgentMessage], data: bytes) -> AgentMessage:
    """Return the message, or raise a `Refusal` of what is none."""
    if len(data) > MAX_MESSAGE_BYTES:
        raise Refusal("too_large", f"{len(data)} bytes; {MAX_MESSAGE_BYTES} are allowed")
    try:
        return codec.decode(data)
    except Malformed as error:
        raise Refusal("malformed", str(error)) from error


def _chosen(scope: WebSocketScope) -> str | None:
    """Return the first of our subprotocols that the agent speaks."""
    return next((each for each in SUBPROTOCOLS if each in scope["subprotocols"]), None)


def _is_browser(scope: WebSocketScope) -> bool:
    """Return whether cookies came along: agents have none, and other sites' pages have no say."""
    return any(name == b"cookie" for name, _ in scope["headers"])
