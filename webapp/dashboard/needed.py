"""Background work of a web process that only runs while somebody needs it."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager


class WhileNeeded:
    """Runs a coroutine as one task from the first who needs it until the last has left."""

    def __init__(self, run: Callable[[], Coroutine[None, None, None]]) -> None:
        self._run = run
        self._task: asyncio.Task[None] | None = None
        self._n_needing = 0

    @contextmanager
    def needed(self) -> Iterator[None]:
        """Keep it running inside the block."""
        self._n_needing += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._n_needing -= 1
            if not self._n_needing:
                self._task.cancel()
                self._task = None
