"""What a browser hears: one socket for its pages, one for a camera that it looks at.

Plain ASGI, without Channels' consumer (which hops through a thread for every message). The server
below us buffers without limit for a browser that does not read, so what bounds a browser's cost is
the rule of one flight: whatever its mailbox holds is sent, and nothing more until the browser has
thanked for each message. A browser that does not thank for `PATIENCE_S` is sent away.
"""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any, Final, NoReturn

import structlog
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, WebSocketSendEvent
from django.db import Error as DatabaseError

from webapp.common.broadcast import Mailbox, Payload, Topic, broadcast
from webapp.common.metrics import BROWSERS_CONNECTED
from webapp.dashboard.audience import (
    LoggedOut,
    NotYours,
    camera_topics,
    organization_topics,
    sessions,
)
from webapp.dashboard.database import in_thread
from webapp.dashboard.follower import changes_followed
from webapp.dashboard.merging import Merging
from webapp.dashboard.reel import Reel

THANKS: Final = "ok"
"""All that a browser ever says: it has handled one message."""
APART_S: Final = 0.1
"""Between two flights: 10 pictures a second at the most. Of video there are as many as come."""
PATIENCE_S: Final = 15.0
RECHECK_S: Final = 60.0

MALFORMED: Final = 1008
TRY_LATER: Final = 1013
LOGGED_OUT: Final = 4401
NOT_YOURS: Final = 4404
STALLED: Final = 4408

Scope = dict[str, Any]
"""A connection as ASGI and Channels describe it."""
AskTopics = Callable[[], frozenset[Topic]]

log = structlog.get_logger(__name__)


class Over(Exception):
    """The connection ends; `code` is what the browser is told, if it is still there."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


async def live(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Tell a page what changed in its user's organizations, and how much arrives."""
    session_key = _session_key(scope)
    ask = partial(organization_topics, session_key)
    with changes_followed.needed():
        await Connection(receive, send, session_key=session_key, ask_topics=ask).serve()


async def live_camera(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Send a camera's live pictures to whoever looks at it."""
    await _watch(scope, receive, send, kind="camera")


async def live_small(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Send a camera's live pictures to whoever looks at it among others."""
    await _watch(scope, receive, send, kind="small")


async def live_video(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Send a camera's video, as the camera made it, to whoever looks at it."""
    await _watch(scope, receive, send, kind="video", make_mailbox=Reel, apart_s=0.0)


async def live_main(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Send the video of a camera's main stream, to whoever looks at it large."""
    await _watch(scope, receive, send, kind="main", make_mailbox=Reel, apart_s=0.0)


async def _watch(
    scope: Scope,
    receive: ASGIReceiveCallable,
    send: ASGISendCallable,
    *,
    kind: str,
    make_mailbox: Callable[[], Mailbox] = Mailbox,
    apart_s: float = APART_S,
) -> None:
    session_key = _session_key(scope)
    camera_id = scope["url_route"]["kwargs"]["camera_id"]
    ask = partial(camera_topics, session_key, camera_id, kind=kind)
    await Connection(
        receive,
        send,
        session_key=session_key,
        ask_topics=ask,
        make_mailbox=make_mailbox,
        apart_s=apart_s,
    ).serve()


class Connection:
    """One websocket of one browser, from connect to close."""

    def __init__(
        self,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
        *,
        session_key: str | None,
        ask_topics: AskTopics,
        make_mailbox: Callable[[], Mailbox] = Mailbox,
        apart_s: float = APART_S,
    ) -> None:
        self._make_mailbox = make_mailbox
        self._apart_s = apart_s
        self._receive = receive
        self._send = send
        self._session_key = session_key
        self._ask_topics = ask_topics
        self._n_in_flight = 0
        self._landed = asyncio.Event()

    async def serve(self) -> None:
        """Serve until either side has had enough; whoever is let in hears all from then on."""
        await self._receive()  # the connect itself
        with suppress(OSError):  # it may leave at any moment, also while it is sent away
            try:
                topics = await self._allowed_topics()
            except Over as over:
                await self._accept()  # else a browser is not told why
                return await self._dismiss(over)
            try:
                await self._exchange(topics)
            except Over as over:
                await self._dismiss(over)

    async def _accept(self) -> None:
        await self._send({"type": "websocket.accept", "subprotocol": None, "headers": []})

    async def _dismiss(self, over: Over) -> None:
        if over.code is not None:
            await self._send({"type": "websocket.close", "code": over.code, "reason": None})

    async def _exchange(self, topics: frozenset[Topic]) -> None:
        assert self._session_key is not None
        with ExitStack() as stack:
            mailboxes = {
                topic: stack.enter_context(
                    broadcast.subscribed(topic, mailbox=self._make_mailbox())
                )
                for topic in topics
            }
            stack.enter_context(BROWSERS_CONNECTED.track_inprogress())
            ended = stack.enter_context(sessions.watching(self._session_key))
            await self._accept()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._read())
                    tasks.create_task(self._deliver(_merged(mailboxes, tasks)))
                    tasks.create_task(self._stay_allowed(topics))
                    tasks.create_task(self._leave_after(ended))
            except ExceptionGroup as group:
                overs, others = group.split(Over)
                if overs is None or others is not None:
                    raise
                # One ends them all; of two at once, the browser's own leaving comes first.
                raise min(_leaves(overs), key=lambda over: over.code or 0) from None

    async def _read(self) -> NoReturn:
        while True:
            event = await self._receive()
            if event["type"] != "websocket.receive":
                raise Over(None)
            if event.get("text") != THANKS:
                raise Over(MALFORMED)
            self._n_in_flight -= 1
            if self._n_in_flight <= 0:
                self._landed.set()

    async def _deliver(self, mailbox: Mailbox) -> NoReturn:
        loop = asyncio.get_running_loop()
        while True:
            payloads = await mailbox.take()
            begun = loop.time()
            self._n_in_flight = len(payloads)
            self._landed.clear()
            for payload in payloads:
                await self._tell(payload)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._landed.wait()
            except TimeoutError:
                raise Over(STALLED) from None
            if (left_s := begun + self._apart_s - loop.time()) > 0:
                await asyncio.sleep(left_s)

    async def _tell(self, payload: Payload) -> None:
        try:
            await self._send(_frame(payload))
        except OSError:  # the browser is closing, and `_read` has not heard of it yet
            raise Over(None) from None

    async def _stay_allowed(self, topics: frozenset[Topic]) -> NoReturn:
        while True:
            await asyncio.sleep(RECHECK_S)
            try:
                allowed = await self._allowed_topics()
            except DatabaseError as error:
                log.warning("audience.unknown", reason=str(error))
                continue
            if allowed != topics:
                raise Over(TRY_LATER)  # it comes back, to other topics

    async def _leave_after(self, ended: asyncio.Event) -> NoReturn:
        await ended.wait()
        raise Over(LOGGED_OUT)

    async def _allowed_topics(self) -> frozenset[Topic]:
        try:
            return await in_thread(self._ask_topics)()
        except LoggedOut:
            raise Over(LOGGED_OUT) from None
        except NotYours:
            raise Over(NOT_YOURS) from None


def _merged(mailboxes: dict[Topic, Mailbox], tasks: asyncio.TaskGroup) -> Mailbox:
    """Return the one mailbox, or one that `tasks` fill from many."""
    if len(mailboxes) == 1:
        return next(iter(mailboxes.values()))
    merged = Mailbox()
    merging = Merging(merged)
    for topic, mailbox in mailboxes.items():
        tasks.create_task(merging.pump(topic, mailbox))
    return merged


def _session_key(scope: Scope) -> str | None:
    key = scope["session"].session_key
    return key if isinstance(key, str) else None


def _frame(payload: Payload) -> WebSocketSendEvent:
    if isinstance(payload, str):
        return {"type": "websocket.send", "bytes": None, "text": payload}
    return {"type": "websocket.send", "bytes": payload, "text": None}


def _leaves(group: ExceptionGroup[Over]) -> list[Over]:
    return [over for over in group.exceptions if isinstance(over, Over)]
