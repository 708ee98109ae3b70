"""Whether the agent is really alive: each part that must not hang is asked."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeAlias

Check: TypeAlias = Callable[[], str | None]
"""Returns at once what is stuck, in words, or None."""

Monotonic: TypeAlias = Callable[[], float]
"""Seconds; only differences mean anything."""


def troubles(checks: Sequence[Check]) -> list[str]:
    """Return what is stuck; nothing if all is well."""
    return [text for check in checks if (text := check()) is not None]


class Asked:
    """A thread that answers questions, such as the outbox's: stuck when one stays open too long."""

    def __init__(
        self,
        name: str,
        ask: Callable[[], Future[Any]],
        *,
        patience_s: float,
        clock: Monotonic = time.monotonic,
    ) -> None:
        """`ask` must return at once. What is answered does not matter, an error counts as well."""
        self._name: Final = name
        self._ask = ask
        self._patience_s: Final = patience_s
        self._clock = clock
        self._open: Future[Any] | None = None
        self._since = 0.0

    def check(self) -> str | None:
        """See `Check`. Asks anew once the question before is answered."""
        if self._open is None or self._open.done():
            self._open, self._since = self._ask(), self._clock()
            return None
        silent_s = self._clock() - self._since
        if silent_s <= self._patience_s:
            return None
        return f"{self._name} has not answered for {silent_s:.0f} s"
