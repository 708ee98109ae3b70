"""A sender that is to end does, whatever comes at the same moment."""

import asyncio

import pytest

from edge_agent.portions import Batch
from edge_agent.sender import Sender
from processing.wire.messages import AgentMessage
from tests.edge_agent.link.conftest import Rig


async def forget(_message: AgentMessage) -> None:
    """Send nothing."""


@pytest.mark.parametrize("n_steps", range(5))
async def test_news_at_the_moment_of_its_end_does_not_keep_it(rig: Rig, n_steps: int) -> None:
    sender = Sender(
        rig.outbox,
        rig.live,
        portions=rig.portions,
        problems=rig.health,
        taken={},
        send=forget,
    )
    sender.in_flight.append(Batch("results", 1, 1))
    task = asyncio.create_task(sender.run())
    await asyncio.sleep(0.05)
    sender.wake()
    for _ in range(n_steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=2.0)
    assert task.cancelled()
