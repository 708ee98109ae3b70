"""One connection to Redis, of its commands the four that the relay needs.

Redis-py's own `PubSub` connects anew by itself and in silence; the relay must know when a
connection ends, because what was published meanwhile is lost.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECT_TIMEOUT_S: Final = 3.0
ANSWER_TIMEOUT_S: Final = 5.0


class RedisLine:
    """Raises `RedisError` or `OSError` as soon as it is of no use any more."""

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection

    async def publish(self, messages: Sequence[tuple[bytes, bytes]]) -> None:
        """Publish in this order; wait until Redis has taken all."""
        commands = [("PUBLISH", channel, data) for channel, data in messages]
        packed = self._connection.pack_commands(commands)
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            await self._connection.send_packed_command(packed, check_health=False)
            for _ in messages:
                await self._connection.read_response()

    async def subscribe(self, channels: Iterable[bytes]) -> None:
        """Ask for what is published there; `hear` says when it comes."""
        await self._connection.send_command("SUBSCRIBE", *channels, check_health=False)

    async def unsubscribe(self, channels: Iterable[bytes]) -> None:
        await self._connection.send_command("UNSUBSCRIBE", *channels, check_health=False)

    async def hear(self) -> tuple[bytes, bytes, bytes]:
        """Wait for what comes: its kind, channel and data."""
        kind, channel, data = await self._connection.read_response()
        return kind, channel, data


@asynccontextmanager
async def dial(url: str, *, name: str) -> AsyncIterator[RedisLine]:
    """Connect for as long as the block lasts; `CLIENT LIST` shows the name."""
    pool = ConnectionPool.from_url(
        url,
        protocol=2,
        client_name=name,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=None,  # redis-py would use `wait_for`, which in 3.11 may swallow a cancel
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
    )
    connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py's
    await connection.connect()  # type: ignore[no-untyped-call]  # same
    try:
        yield RedisLine(connection)
    finally:
        await connection.disconnect(nowait=True)
