"""A gateway of its own for each test, and a thread for a test's own questions to the database."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.factories import Clock, make_agent, make_bundle
from webapp.accounts.models import Organization
from webapp.common.broadcast import Broadcast
from webapp.fleet.models import Agent, Bundle
from webapp.gateway.database import DatabaseThread
from webapp.gateway.gateway import Gateway
from webapp.gateway.socket import AgentSocket


@pytest.fixture
def audience() -> Broadcast:
    return Broadcast()


@pytest.fixture
async def gateway(
    transactional_db: None, clock: Clock, audience: Broadcast
) -> AsyncIterator[Gateway]:
    gateway = Gateway(clock=clock.now, audience=audience)
    yield gateway
    await gateway.stop()


@pytest.fixture
def app(gateway: Gateway) -> AgentSocket:
    return AgentSocket(gateway)


@pytest.fixture
def database(transactional_db: None) -> Iterator[DatabaseThread]:
    """Asks the database from an async test: `await database.call(Result.objects.count)`."""
    thread = DatabaseThread()
    yield thread
    thread.stop()


@pytest.fixture
def bundle(acme: Organization) -> Bundle:
    """The bundle of `make_entry`."""
    return make_bundle(acme, digest="0" * 31 + "1")


@pytest.fixture
def other_agent(agent: Agent) -> Agent:
    """Another agent of the same site."""
    return make_agent(agent.site)
