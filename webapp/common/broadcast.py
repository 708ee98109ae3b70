"""From one to many browsers, with bounded memory whatever a browser does.

A mailbox holds at most one payload a key and hands out the newest: a slow reader misses old
pictures and costs a fast one nothing. Everything here runs on the event loop; threads use
`publish_from_thread`. Browsers of this process are served here; those of the hub's other processes
through a relay (`webapp.common.relay`), when there is one.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol
from uuid import UUID

from webapp.common.metrics import PAYLOADS_SKIPPED

Payload = bytes | str
Topic = tuple[str, UUID]
"""("organization", id) for what its members' pages show; ("camera", id) for its live pictures,
("small", id) for small ones, ("video", id) for its video, ("main", id) for its main stream's."""


class Mailbox:
    """What one subscriber has not taken yet: the newest payload of each key."""

    def __init__(self) -> None:
        self._waiting: dict[str, Payload] = {}
        self._arrived = asyncio.Event()
        self.n_skipped = 0
        """Payloads replaced before they were taken."""

    def put(self, key: str, payload: Payload) -> None:
        if key in self._waiting:
            self.n_skipped += 1
            PAYLOADS_SKIPPED.inc()
        self._waiting[key] = payload
        self._arrived.set()

    async def take(self) -> list[Payload]:
        """Wait until something is here, then return and forget all of it."""
        await self._arrived.wait()
        self._arrived.clear()
        taken, self._waiting = list(self._waiting.values()), {}
        return taken


class Relaying(Protocol):
    """Carries what is published to those who listen in other processes."""

    @property
    def is_connected(self) -> bool:
        """Return whether it does just now."""

    def has_audience(self, topic: Topic) -> bool:
        """Return whether another process listens."""

    def forward(self, topic: Topic, key: str, payload: Payload) -> None:
        """Send it there, in the order of calls a topic; what cannot be sent soon is dropped."""


class Broadcast:
    """Topics and who listens to them."""

    def __init__(self) -> None:
        self._relay: Relaying | None = None
        self._mailboxes: dict[Topic, set[Mailbox]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watchers: set[Callable[[Topic], None]] = set()

    @contextmanager
    def subscribed(self, *topics: Topic, mailbox: Mailbox | None = None) -> Iterator[Mailbox]:
        """Listen to `topics` inside the block; `mailbox` may be of another kind."""
        self._loop = asyncio.get_running_loop()
        mailbox = mailbox or Mailbox()
        for topic in topics:
            self._mailboxes.setdefault(topic, set()).add(mailbox)
            self.audience_changed(topic)
        try:
            yield mailbox
        finally:
            for topic in topics:
                listeners = self._mailboxes[topic]
                listeners.discard(mailbox)
                if not listeners:
                    del self._mailboxes[topic]
                self.audience_changed(topic)

    @contextmanager
    def watched(self, watcher: Callable[[Topic], None]) -> Iterator[None]:
        """Call `watcher(topic)` whenever somebody begins or ceases to listen to a topic."""
        self._watchers.add(watcher)
        try:
            yield
        finally:
            self._watchers.discard(watcher)

    @contextmanager
    def relayed(self, relay: Relaying) -> Iterator[None]:
        """Serve the listeners of other processes too, inside the block."""
        self._loop = asyncio.get_running_loop()
        self._relay = relay
        try:
            yield
        finally:
            self._relay = None

    def has_audience(self, topic: Topic) -> bool:
        """Return whether anybody listens, here or in another process."""
        return topic in self._mailboxes or (
            self._relay is not None and self._relay.has_audience(topic)
        )

    @property
    def is_relayed(self) -> bool:
        """Return whether the hub's processes hear each other just now."""
        return self._relay is not None and self._relay.is_connected

    def is_heard_here(self, topic: Topic) -> bool:
        return topic in self._mailboxes

    @property
    def heard_here(self) -> frozenset[Topic]:
        """What somebody in this process listens to."""
        return frozenset(self._mailboxes)

    def publish(self, topic: Topic, key: str, payload: Payload) -> None:
        """Hand `payload` to every listener; what `key` means is the mailbox's to say."""
        self.deliver(topic, key, payload)
        if self._relay is not None and self._relay.has_audience(topic):
            self._relay.forward(topic, key, payload)

    def deliver(self, topic: Topic, key: str, payload: Payload) -> None:
        """Hand `payload` to the listeners of this process only."""
        for mailbox in self._mailboxes.get(topic, ()):
            mailbox.put(key, payload)

    def publish_from_thread(self, topic: Topic, key: str, payload: Payload) -> bool:
        """Publish from outside the event loop; return whether there is a loop to do it."""
        if self._loop is None or self._loop.is_closed():
            return False
        if self.has_audience(topic):
            with suppress(RuntimeError):  # the loop ended just now, and its browsers with it
                self._loop.call_soon_threadsafe(self.publish, topic, key, payload)
        return True

    def audience_changed(self, topic: Topic) -> None:
        """Tell whoever watches that somebody began or ceased to listen, here or elsewhere."""
        for watcher in tuple(self._watchers):
            watcher(topic)


broadcast = Broadcast()
"""This web process's."""
