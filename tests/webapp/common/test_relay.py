"""Web processes hear each other through Redis, and do without it while it is away."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from tests.needed import need_redis
from webapp.common.broadcast import Broadcast, Mailbox, Payload
from webapp.common.parcels import Channels, pack
from webapp.common.relay import Relay

PATIENCE_S = 20.0
TOPIC = ("camera", UUID(int=1))


class InOrder(Mailbox):
    """Keeps everything, as it came."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[tuple[str, Payload]] = []

    def put(self, key: str, payload: Payload) -> None:
        self.heard.append((key, payload))


@pytest.fixture
def secret() -> str:
    """The hub's: others on the same Redis have another."""
    return uuid4().hex


async def wait_until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - it has no event to wait for
            await asyncio.sleep(0.01)


@asynccontextmanager
async def process(secret: str, url: str | None = None) -> AsyncIterator[tuple[Broadcast, Relay]]:
    """What a web process has of it."""
    broadcast = Broadcast()
    relay = Relay(url or need_redis(), secret=secret, broadcast=broadcast)
    relay.start()
    try:
        yield broadcast, relay
    finally:
        await relay.stop()


async def cut(redis: Redis, name: str) -> int:
    """Have Redis close the connections of this name; return how many."""
    clients = [each for each in await redis.client_list() if each["name"] == name]
    for client in clients:
        await redis.client_kill_filter(_id=client["id"])
    return len(clients)


async def test_what_one_publishes_the_other_hears_in_order(secret: str) -> None:
    async with process(secret) as (here, _), process(secret) as (there, _):
        with there.subscribed(TOPIC, mailbox=InOrder()) as mailbox:
            assert isinstance(mailbox, InOrder)
            await wait_until(lambda: here.has_audience(TOPIC))
            sent = [("delta" if n % 3 else "boxes", bytes([n]) * 100_000) for n in range(60)]
            for key, payload in sent:
                here.publish(TOPIC, key, payload)
                await asyncio.sleep(0)
            here.publish(TOPIC, "last", "text")
            await wait_until(lambda: mailbox.heard[-1:] == [("last", "text")])
            assert mailbox.heard[:-1] == sent


async def test_the_demand_is_heard_and_ends(secret: str) -> None:
    changed: list[object] = []
    async with process(secret) as (here, _), process(secret) as (there, _):
        with here.watched(changed.append):
            with there.subscribed(TOPIC):
                await wait_until(lambda: here.has_audience(TOPIC))
            await wait_until(lambda: not here.has_audience(TOPIC))
            assert changed == [TOPIC, TOPIC]
            assert not here.is_heard_here(TOPIC)


async def test_who_comes_later_learns_who_listens(secret: str) -> None:
    async with process(secret) as (there, _):
        with there.subscribed(TOPIC):
            async with process(secret) as (here, _):
                await wait_until(lambda: here.has_audience(TOPIC))


async def test_who_leaves_or_dies_listens_no_more(secret: str) -> None:
    async with process(secret) as (here, _):
        async with process(secret) as (there, _):
            with there.subscribed(TOPIC):
                await wait_until(lambda: here.has_audience(TOPIC))
        await wait_until(lambda: not here.has_audience(TOPIC))


async def test_those_here_hear_it_once(secret: str) -> None:
    async with process(secret) as (here, first), process(secret) as (there, second):
        with (
            here.subscribed(TOPIC, mailbox=InOrder()) as own,
            there.subscribed(TOPIC, mailbox=InOrder()) as others,
        ):
            assert isinstance(own, InOrder)
            assert isinstance(others, InOrder)
            await wait_until(lambda: first.has_audience(TOPIC) and second.has_audience(TOPIC))
            here.publish(TOPIC, "picture", b"1")
            there.publish(TOPIC, "picture", b"2")
            await wait_until(lambda: len(own.heard) == 2 and len(others.heard) == 2)
            assert own.heard == [("picture", b"1"), ("picture", b"2")]
            assert sorted(others.heard) == own.heard


async def test_what_nobody_wants_is_not_sent(secret: str) -> None:
    other = ("camera", UUID(int=2))
    channels = Channels(secret)
    async with (
        process(secret) as (here, _),
        process(secret) as (there, _),
        Redis.from_url(need_redis()) as redis,
    ):
        with here.subscribed(TOPIC), there.subscribed(other):
            await wait_until(lambda: here.has_audience(other) and there.has_audience(TOPIC))
            names = [channels.of(TOPIC), channels.of(other), channels.of(("camera", uuid4()))]
            assert [n for _, n in await redis.pubsub_numsub(*names)] == [1, 1, 0]
            assert not there.has_audience(("camera", uuid4()))


async def test_hubs_that_share_a_redis_do_not_meet(secret: str) -> None:
    async with process(secret) as (here, _), process(secret + "!") as (there, relay):
        with there.subscribed(TOPIC), here.subscribed(TOPIC):
            await wait_until(lambda: TOPIC in relay._subscribed)
            await asyncio.sleep(0.1)
            assert TOPIC not in relay._elsewhere


async def test_a_connection_that_redis_cuts_comes_back(secret: str) -> None:
    async with (
        process(secret) as (here, relay),
        process(secret) as (there, _),
        Redis.from_url(need_redis()) as redis,
    ):
        with there.subscribed(TOPIC, mailbox=InOrder()) as mailbox:
            assert isinstance(mailbox, InOrder)
            await wait_until(lambda: here.has_audience(TOPIC))
            assert await cut(redis, Channels(secret).name) == 4
            async with asyncio.timeout(PATIENCE_S):
                while not mailbox.heard:  # what is said before both are back is lost, as it may
                    here.publish(TOPIC, "picture", b"again")
                    await asyncio.sleep(0.02)
            assert relay.is_connected


async def test_without_redis_those_here_are_served(
    secret: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with process(secret, "redis://127.0.0.1:1/0") as (here, relay):
        with here.subscribed(TOPIC, mailbox=InOrder()) as mailbox:
            assert isinstance(mailbox, InOrder)
            for _ in range(3):
                here.publish(TOPIC, "picture", b"1")
                await asyncio.sleep(0.2)
            assert len(mailbox.heard) == 3
            assert not relay.is_connected
            assert not here.is_relayed


class Broken(Mailbox):
    """Has an error of ours in it."""

    def put(self, key: str, payload: Payload) -> None:
        raise ZeroDivisionError


async def test_a_relay_that_broke_is_not_counted_on(secret: str) -> None:
    async with process(secret) as (here, _), process(secret) as (there, relay):
        with there.subscribed(TOPIC, mailbox=Broken()), here.subscribed(TOPIC):
            await wait_until(lambda: here.has_audience(TOPIC) and there.has_audience(TOPIC))
            here.publish(TOPIC, "key", b"1")
            await wait_until(lambda: not relay.is_connected)
            assert not relay.has_audience(TOPIC)


async def test_what_is_no_parcel_harms_nobody(secret: str) -> None:
    channel = Channels(secret).of(TOPIC)
    async with process(secret) as (here, relay), Redis.from_url(need_redis()) as redis:
        with here.subscribed(TOPIC, mailbox=InOrder()) as mailbox:
            assert isinstance(mailbox, InOrder)
            await wait_until(lambda: TOPIC in relay._subscribed)
            for data in (b"", b"\xc1", b"x" * 10_000, pack(b"", "picture", b"fine")):
                await redis.publish(channel, data)
            await wait_until(lambda: mailbox.heard == [("picture", b"fine")])
            assert relay.n_malformed == 3
