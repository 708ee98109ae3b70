"""What one browser has not taken yet of a camera's video."""

from collections.abc import Hashable
from typing import Final

from processing.wire.limits import MAX_FRAGMENT_BYTES, MAX_INIT_BYTES
from processing.wire.tape import Tape
from webapp.common.broadcast import Mailbox, Payload
from webapp.common.metrics import PAYLOADS_SKIPPED

MAX_BYTES: Final = MAX_FRAGMENT_BYTES + MAX_INIT_BYTES + 12 * 1024
"""Waiting, and as much again in flight: 640 KB a browser. The largest message fits."""


class Reel(Mailbox):
    """Keeps fragments in order, unlike other mailboxes; published under their kind as key.

    A browser that falls behind skips to the next key picture, and one that comes waits for it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tape = Tape[Payload](MAX_BYTES)

    def put(self, key: Hashable, payload: Payload) -> None:
        """Take in what was published; `key` is a `processing.wire.tape.Kind`."""
        match key:
            case "key" | "delta" | "boxes":
                self._tape.put(payload, len(payload), key)
            case _:
                raise ValueError(f"{key!r} is no kind of fragment")
        PAYLOADS_SKIPPED.inc(self._tape.n_skipped - self.n_skipped)
        self.n_skipped = self._tape.n_skipped
        if self._tape:
            self._arrived.set()

    async def take(self) -> list[Payload]:
        """Wait until something is here, then return as much of it as may be in flight."""
        await self._arrived.wait()
        taken = self._tape.take(MAX_BYTES)
        if not self._tape:
            self._arrived.clear()
        return taken
