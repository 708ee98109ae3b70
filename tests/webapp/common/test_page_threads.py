"""Requests in threads that stay: one request a thread at a time, and its connection with it."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from asgiref.sync import sync_to_async
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope

from webapp.common import page_threads
from webapp.common.page_threads import PageThreads


class Asked:
    """An application that notes its thread, and waits there until it may end."""

    def __init__(self) -> None:
        self.threads: list[int] = []
        self.may_end = threading.Event()
        self.may_end.set()

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        await sync_to_async(self._work)()

    def _work(self) -> None:
        self.threads.append(threading.get_ident())
        self.may_end.wait(10)


async def ask(application: PageThreads, n: int = 1) -> None:
    nothing: Any = None
    await asyncio.gather(*(application(nothing, nothing, nothing) for _ in range(n)))


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - other threads make it so
            await asyncio.sleep(0.001)


def ended(threads: list[int]) -> int:
    """Return how many of these threads are no more."""
    return len(set(threads) - {thread.ident for thread in threading.enumerate()})


async def test_it_works() -> None:
    asked = Asked()
    application = PageThreads(asked)
    for _ in range(3):
        await ask(application)
        await until(lambda: bool(application._kept))
    assert len(asked.threads) == 3
    assert len(set(asked.threads)) == 1


async def test_requests_at_a_time_have_threads_of_their_own_and_few_are_kept() -> None:
    asked = Asked()
    application = PageThreads(asked)
    asked.may_end.clear()
    n = page_threads.MOST_KEPT + 3
    asking = asyncio.create_task(ask(application, n))
    await until(lambda: len(asked.threads) == n)
    asked.may_end.set()
    await asking
    assert len(set(asked.threads)) == n
    await until(lambda: ended(asked.threads) == n - page_threads.MOST_KEPT)
    assert len(application._kept) == page_threads.MOST_KEPT


async def test_who_hangs_up_leaves_no_thread_that_is_still_at_work() -> None:
    asked = Asked()
    application = PageThreads(asked)
    asked.may_end.clear()
    leaving = asyncio.create_task(ask(application))
    await until(lambda: bool(asked.threads))
    leaving.cancel()
    staying = asyncio.create_task(ask(application))
    await until(lambda: len(asked.threads) == 2)
    assert asked.threads[0] != asked.threads[1]
    asked.may_end.set()
    await asyncio.gather(staying, leaving, return_exceptions=True)
