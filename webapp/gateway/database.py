"""Database work of the event loop: in one thread of its own, never on the loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connections

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThread:
    """Calls functions one after the other; Django's connections belong to threads."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="gateway-database")

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `function` returns, or raise what it raises."""

        def work() -> T:
            close_old_connections()
            try:
                return function(*args, **kwargs)
            finally:
                close_old_connections()

        context = copy_context()  # who is talked to is in the log lines of the thread too
        return await asyncio.get_running_loop().run_in_executor(self._pool, context.run, work)

    def stop(self) -> None:
        self._pool.submit(connections.close_all)
        self._pool.shutdown()
