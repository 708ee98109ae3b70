"""Pages are nudged when something changed, by whichever program changed it."""

import asyncio
from uuid import uuid4

import pytest

from tests.factories import Clock
from tests.needed import need_redis
from tests.webapp.common.test_relay import PATIENCE_S, InOrder, process, wait_until
from webapp.accounts.models import Organization
from webapp.common.alongside import Alongside
from webapp.common.broadcast import Broadcast, Mailbox, broadcast
from webapp.common.changes import record_change
from webapp.common.nudges import NUDGES, Nudger


async def test_a_worker_nudges_those_who_listen() -> None:
    secret, topic = uuid4().hex, (NUDGES, uuid4())
    async with process(secret) as (there, relay):
        with there.subscribed(topic, mailbox=InOrder()) as mailbox:
            assert isinstance(mailbox, InOrder)
            await wait_until(lambda: topic in relay._subscribed)
            nudger = Nudger(need_redis(), secret=secret)
            while not mailbox.heard:  # the first may come before Redis has subscribed us
                nudger.put(topic)
                await asyncio.sleep(0.05)


@pytest.mark.django_db(transaction=True)
async def test_a_change_nudges_those_here_once_it_is_committed(
    acme: Organization, clock: Clock
) -> None:
    with broadcast.subscribed((NUDGES, acme.pk)) as mailbox:
        await asyncio.to_thread(record_change, acme.pk, "agents", at=clock.now())
        async with asyncio.timeout(PATIENCE_S):
            assert await mailbox.take() == [b""]


async def test_listening_alongside_ends_with_the_pages() -> None:
    here, mailbox = Broadcast(), Mailbox()
    first, second = ("organization", uuid4()), ("organization", uuid4())
    with here.subscribed(first), Alongside(here, kind=NUDGES, mailbox=mailbox).following():
        with here.subscribed(second), here.subscribed(second), here.subscribed(("camera", uuid4())):
            assert here.is_heard_here((NUDGES, first[1]))
            assert here.is_heard_here((NUDGES, second[1]))
        assert not here.is_heard_here((NUDGES, second[1]))
        assert here.is_heard_here((NUDGES, first[1]))
    assert here.heard_here == frozenset()
