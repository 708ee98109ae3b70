"""Browsers for tests: one that asks for pages, one at the end of a websocket."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.typing import ASGIReceiveEvent, ASGISendEvent
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from django.test import Client

from webapp.accounts.models import User

Endpoint = Callable[..., Coroutine[Any, Any, None]]
TIMEOUT_S = 60.0


class SocketBrowser:
    """A browser's end of a websocket; what the hub sent waits in `inbox`."""

    def __init__(self, endpoint: Endpoint, *, session_key: str | None, **kwargs: object) -> None:
        scope = {
            "type": "websocket",
            "session": SessionStore(session_key),
            "url_route": {"kwargs": kwargs},
        }
        self.inbox: asyncio.Queue[ASGISendEvent] = asyncio.Queue()
        self.is_closing = False
        """The server knows that it leaves, and the hub does not yet."""
        self._outbox: asyncio.Queue[ASGIReceiveEvent] = asyncio.Queue()
        self._task = asyncio.create_task(endpoint(scope, self._outbox.get, self._take))
        self._outbox.put_nowait({"type": "websocket.connect"})

    async def next(self) -> ASGISendEvent:
        async with asyncio.timeout(TIMEOUT_S):
            return await self.inbox.get()

    async def accepted(self) -> "SocketBrowser":
        assert (await self.next())["type"] == "websocket.accept"
        return self

    async def next_payload(self) -> bytes | str | None:
        event = await self.next()
        assert event["type"] == "websocket.send", event
        return event["text"] if event["text"] is not None else event["bytes"]

    async def closed_with(self) -> int:
        """Wait for the hub to close; return the code."""
        event = await self.next()
        assert event["type"] == "websocket.close", event
        await self._finish()
        return event["code"]

    def say(self, text: str | None = "ok", data: bytes | None = None) -> None:
        self._outbox.put_nowait({"type": "websocket.receive", "text": text, "bytes": data})

    async def leave(self) -> None:
        self._outbox.put_nowait({"type": "websocket.disconnect", "code": 1001, "reason": None})
        await self._finish()

    async def over(self) -> None:
        """Wait until the hub is through with it."""
        await self._finish()

    async def _take(self, event: ASGISendEvent) -> None:
        if self.is_closing:
            raise OSError("Attempt to send on a closed protocol")
        await self.inbox.put(event)

    async def _finish(self) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await self._task


Connect = Callable[..., SocketBrowser]


@pytest.fixture
async def connect(transactional_db: None) -> AsyncIterator[Connect]:
    """Opens a websocket: `connect(live, session_key=…)`; leaves it and the database at the end."""
    browsers: list[SocketBrowser] = []

    def open_socket(endpoint: Endpoint, **kwargs: Any) -> SocketBrowser:
        browsers.append(SocketBrowser(endpoint, **kwargs))
        return browsers[-1]

    yield open_socket
    for browser in browsers:
        await browser.leave()
    await sync_to_async(connections.close_all)()


async def settle() -> None:
    """Let everything that can run now run."""
    for _ in range(20):
        await asyncio.sleep(0)


def session_of(user: User) -> str:
    """Log in; return the session's key."""
    client = Client()
    client.force_login(user)
    key = client.session.session_key
    assert key is not None
    return key


@pytest.fixture
def olgas_session(olga: User) -> str:
    """The key of an operator's session."""
    return session_of(olga)
