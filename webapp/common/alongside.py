"""Listening to more about those organizations whose pages somebody in this process shows."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from webapp.common.broadcast import Broadcast, Mailbox, Topic

if TYPE_CHECKING:
    from uuid import UUID


class Alongside:
    """Keeps `mailbox` subscribed to (`kind`, id) while ("organization", id) is heard here."""

    def __init__(self, broadcast: Broadcast, *, kind: str, mailbox: Mailbox) -> None:
        self._broadcast = broadcast
        self._kind = kind
        self._mailbox = mailbox
        self._held: dict[UUID, ExitStack] = {}

    @contextmanager
    def following(self) -> Iterator[None]:
        with self._broadcast.watched(self._follow):
            for topic in self._broadcast.heard_here:
                self._follow(topic)
            try:
                yield
            finally:
                for stack in self._held.values():
                    stack.close()
                self._held = {}

    def _follow(self, topic: Topic) -> None:
        kind, organization_id = topic
        if kind != "organization":
            return
        if not self._broadcast.is_heard_here(topic):
            if (held := self._held.pop(organization_id, None)) is not None:
                held.close()
        elif organization_id not in self._held:
            stack = self._held[organization_id] = ExitStack()
            beside = (self._kind, organization_id)
            stack.enter_context(self._broadcast.subscribed(beside, mailbox=self._mailbox))
