"""From one to many browsers inside a web process, with bounded memory whatever a browser does.

A mailbox holds at most one payload a key and hands out the newest: a slow reader misses old
pictures and costs a fast one nothing. Everything here runs on the event loop; threads use
`publish_from_thread`.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from uuid import UUID

Payload = bytes | str
Topic = tuple[str, UUID]
"""("organization", id) for what its members' pages show, ("camera", id) for its live pictures."""


class Mailbox:
    """What one subscriber has not taken yet: the newest payload of each key."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, Payload] = {}
        self._arrived = asyncio.Event()
        self.n_skipped = 0
        """Payloads replaced before they were taken."""

    def put(self, key: Hashable, payload: Payload) -> None:
        if key in self._waiting:
            self.n_skipped += 1
        self._waiting[key] = payload
        self._arrived.set()

    async def take(self) -> list[Payload]:
        """Wait until something is here, then return and forget all of it."""
        await self._arrived.wait()
        self._arrived.clear()
        taken, self._waiting = list(self._waiting.values()), {}
        return taken


class Broadcast:
    """Topics and who listens to them."""

    def __init__(self) -> None:
        self._mailboxes: dict[Topic, set[Mailbox]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watchers: set[Callable[[Topic], None]] = set()

    @contextmanager
    def subscribed(self, *topics: Topic) -> Iterator[Mailbox]:
        """Listen to `topics` inside the block."""
        self._loop = asyncio.get_running_loop()
        mailbox = Mailbox()
        for topic in topics:
            self._mailboxes.setdefault(topic, set()).add(mailbox)
            self._tell_watchers(topic)
        try:
            yield mailbox
        finally:
            for topic in topics:
                listeners = self._mailboxes[topic]
                listeners.discard(mailbox)
                if not listeners:
                    del self._mailboxes[topic]
                self._tell_watchers(topic)

    @contextmanager
    def watched(self, watcher: Callable[[Topic], None]) -> Iterator[None]:
        """Call `watcher(topic)` whenever somebody begins or ceases to listen to a topic."""
        self._watchers.add(watcher)
        try:
            yield
        finally:
            self._watchers.discard(watcher)

    def has_audience(self, topic: Topic) -> bool:
        return topic in self._mailboxes

    def publish(self, topic: Topic, key: Hashable, payload: Payload) -> None:
        """Hand `payload` to every listener; it replaces an untaken one of the same key."""
        for mailbox in self._mailboxes.get(topic, ()):
            mailbox.put(key, payload)

    def publish_from_thread(self, topic: Topic, key: Hashable, payload: Payload) -> None:
        """Publish from outside the event loop; without any listener ever, nothing happens."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.publish, topic, key, payload)

    def _tell_watchers(self, topic: Topic) -> None:
        for watcher in tuple(self._watchers):
            watcher(topic)


broadcast = Broadcast()
"""This web process's."""
