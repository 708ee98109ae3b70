"""Threads that answer requests, kept with their connections to the database.

Django takes a new thread for each request, and so opens a connection for each, which takes longer
than most of a page's questions.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from asgiref.sync import ThreadSensitiveContext
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope
from django.db import connections

from webapp.common.request_limits import Application

MOST_KEPT: Final = 4
"""More are made as they are needed, and end with their request."""


class PageThreads:
    """Runs an application's requests, each in a thread that it has for itself meanwhile."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._kept: list[ThreadPoolExecutor] = []

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        thread = self._kept.pop() if self._kept else ThreadPoolExecutor(1, "page")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self._application(scope, receive, send)
        finally:
            # By the thread itself: whoever hung up may have left it at work.
            thread.submit(self._give_back, thread)

    def _give_back(self, thread: ThreadPoolExecutor) -> None:
        if len(self._kept) < MOST_KEPT:
            self._kept.append(thread)
        else:
            connections.close_all()
            thread.shutdown(wait=False)
