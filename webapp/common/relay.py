"""Live view across the hub's web processes, through Redis pub/sub.

Each process subscribes, on one connection, to the topics that its own browsers listen to, and says
so to the others; so nobody sends what nobody wants, and the process that holds an agent's socket
hears of browsers that look at its cameras elsewhere. Nothing that is stored depends on it: without
Redis every process serves its own browsers, and changes are found in the database.
"""

import asyncio
import random
from contextlib import AbstractAsyncContextManager, ExitStack, suppress
from typing import Final
from uuid import uuid4

import msgspec
import structlog
from redis.exceptions import RedisError

from webapp.common.broadcast import Broadcast, Payload, Topic
from webapp.common.elsewhere import Elsewhere
from webapp.common.parcels import (
    Channels,
    Listening,
    pack,
    read_listening,
    read_parcel,
    write,
)
from webapp.common.redis_line import RedisLine, dial
from webapp.common.sending import Sending

TELL_EVERY_S: Final = 5.0
_RETRY_S: Final = (0.1, 0.3, 1.0, 2.0, 3.0)
_FAREWELL_S: Final = 1.0

log = structlog.get_logger(__name__)


class Relay:
    """One process's end; everything here runs on the event loop."""

    def __init__(self, url: str, *, secret: str, broadcast: Broadcast) -> None:
        self._url = url
        self._channels = Channels(secret)
        self._broadcast = broadcast
        self._process = uuid4().bytes
        self._elsewhere = Elsewhere()
        self._sending = Sending()
        self._is_connected = False
        self._subscribed: set[Topic] = set()
        self._here_changed = asyncio.Event()
        self._is_lost = False
        self._task: asyncio.Task[None] | None = None
        self._attached = ExitStack()
        self.n_malformed = 0
        """Messages that were none of ours, or of another version."""

    @property
    def is_connected(self) -> bool:
        return self._is_connected

    @property
    def n_dropped(self) -> int:
        """Return how many payloads Redis could not take in time."""
        return self._sending.n_dropped

    def start(self) -> None:
        """Begin, on the running event loop."""
        self._attached.enter_context(self._broadcast.relayed(self))
        self._attached.enter_context(self._broadcast.watched(self._note_here))
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._note_end)

    async def stop(self) -> None:
        """End; the others are told, if Redis listens."""
        self._attached.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(_FAREWELL_S), self._dial() as line:
                farewell = write(Listening(self._process, is_all=True))
                await line.publish([(self._channels.audience, farewell)])

    def has_audience(self, topic: Topic) -> bool:
        return topic in self._elsewhere

    def forward(self, topic: Topic, key: str, payload: Payload) -> None:
        """Send it on; without Redis it is dropped, and counted."""
        if not self._is_connected:
            self._sending.n_dropped += 1
        else:
            self._sending.put(self._channels.of(topic), pack(self._process, key, payload))

    async def _run(self) -> None:
        n_tries = 0
        while True:
            try:
                await self._converse()
            except* (RedisError, OSError) as group:
                n_tries = 0 if self._is_connected else n_tries + 1
                self._lose(group.exceptions[0])
            wait_s = _RETRY_S[min(n_tries, len(_RETRY_S) - 1)]
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads, hides nothing

    def _note_end(self, task: asyncio.Task[None]) -> None:
        """Let nobody count on a relay that broke: pages look at the database by themselves."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("relay.broke", exc_info=error)
            self._lose(error)

    async def _converse(self) -> None:
        """Talk to Redis until it goes away."""
        async with self._dial() as hearing, self._dial() as saying:
            await hearing.subscribe([self._channels.audience])
            self._subscribed = set()
            self._sending.clear()
            self._is_connected = True
            self._here_changed.set()
            self._find_again()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(hearing))
                tasks.create_task(self._say(saying))
                tasks.create_task(self._keep_subscribed(hearing))
                tasks.create_task(self._tell_again())

    def _dial(self) -> AbstractAsyncContextManager[RedisLine]:
        return dial(self._url, name=self._channels.name)

    async def _hear(self, line: RedisLine) -> None:
        while True:
            kind, channel, data = await line.hear()
            if kind == b"subscribe":
                self._tell_subscribed(channel)
            elif kind == b"message":
                try:
                    self._take(channel, data)
                except (msgspec.MsgspecError, ValueError):
                    self.n_malformed += 1

    def _tell_subscribed(self, channel: bytes) -> None:
        """Tell the others, only now: who is told sends at once, and all of it must arrive."""
        if channel == self._channels.audience:
            self._tell_all(asks=True)
        elif (topic := self._channels.topic(channel)) in self._subscribed:
            self._tell(Listening(self._process, joined=(topic,)))

    def _take(self, channel: bytes, data: bytes) -> None:
        if channel == self._channels.audience:
            self._take_listening(read_listening(data))
            return
        parcel = read_parcel(data)
        if parcel.process != self._process:  # to those here it was given directly
            self._broadcast.deliver(self._channels.topic(channel), parcel.key, parcel.payload)

    def _take_listening(self, said: Listening) -> None:
        if said.process == self._process:
            return
        at = asyncio.get_running_loop().time()
        if said.is_all:
            changed = self._elsewhere.is_all(said.process, said.joined, at=at)
        else:
            changed = self._elsewhere.joins(said.process, said.joined, at=at)
            changed |= self._elsewhere.leaves(said.process, said.left, at=at)
        if said.asks:
            self._tell_all()
        self._tell_watchers(changed)

    async def _say(self, line: RedisLine) -> None:
        while True:
            await line.publish(await self._sending.take())

    async def _keep_subscribed(self, line: RedisLine) -> None:
        """Listen to what is listened to here, and to nothing else."""
        while True:
            await self._here_changed.wait()
            self._here_changed.clear()
            wanted = self._broadcast.heard_here
            joined, left = wanted - self._subscribed, self._subscribed - wanted
            self._subscribed = set(wanted)
            if left:
                self._tell(Listening(self._process, left=tuple(left)))
                await line.unsubscribe([self._channels.of(topic) for topic in left])
            if joined:
                await line.subscribe([self._channels.of(topic) for topic in joined])

    async def _tell_again(self) -> None:
        """Say at intervals what is listened to here; forget who says nothing any more."""
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            self._tell_all()
            self._tell_watchers(self._elsewhere.lapse(at=asyncio.get_running_loop().time()))

    def _tell_all(self, *, asks: bool = False) -> None:
        everything = tuple(self._subscribed)
        self._tell(Listening(self._process, joined=everything, is_all=True, asks=asks))

    def _tell(self, listening: Listening) -> None:
        self._sending.put(self._channels.audience, write(listening))

    def _note_here(self, topic: Topic) -> None:
        if self._broadcast.is_heard_here(topic) != (topic in self._subscribed):
            self._here_changed.set()

    def _tell_watchers(self, topics: set[Topic]) -> None:
        for topic in topics:
            self._broadcast.audience_changed(topic)

    def _lose(self, error: BaseException) -> None:
        if not self._is_lost:
            log.warning("relay.lost", reason=str(error).strip())
        self._is_lost = True
        self._is_connected = False
        self._tell_watchers(self._elsewhere.forget_all())

    def _find_again(self) -> None:
        if self._is_lost:
            log.info("relay.found_again", n_dropped=self.n_dropped)
        self._is_lost = False
