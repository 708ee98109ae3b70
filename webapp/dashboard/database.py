"""Asking the database from the event loop."""

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import close_old_connections

P = ParamSpec("P")
T = TypeVar("T")


def in_thread(ask: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """Return `ask` to be awaited; it runs in the thread that Django keeps for connections."""

    def with_live_connection(*args: P.args, **kwargs: P.kwargs) -> T:
        close_old_connections()
        return ask(*args, **kwargs)

    return sync_to_async(with_live_connection)
