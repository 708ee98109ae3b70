"""Ten times what agents may send: alerts come through, results come late, memory stays flat."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psutil
import pytest

from processing.wire.messages import Ack, EventBatch, EventRaised
from tests.factories import START, make_agent, make_camera
from tests.webapp.gateway.double import connect, make_batch, make_entry
from webapp.common.broadcast import Broadcast
from webapp.events.models import Event
from webapp.fleet.models import Agent, Camera
from webapp.gateway.connection import MAX_IN_FLIGHT
from webapp.gateway.database import DatabaseThread
from webapp.gateway.gateway import Gateway
from webapp.gateway.ingest import allowance
from webapp.gateway.ingest.allowance import Limits
from webapp.gateway.socket import AgentSocket
from webapp.results.models import Result

N_AGENTS = 3
PER_BATCH = 50
PER_S = 500.0
"""Of each agent, which always has seconds' worth of it under way."""
N_BATCHES = MAX_IN_FLIGHT - 2
MAX_GROWTH_MB = 100.0


class RunningClock:
    """Begins at `START` and goes on."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def now(self) -> datetime:
        return START + timedelta(seconds=time.monotonic() - self._begun)


@pytest.fixture
async def gateway(
    transactional_db: None, audience: Broadcast, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Gateway]:
    monkeypatch.setattr(allowance, "BURST_S", 0.1)
    usual = Limits(agent_per_s=PER_S, organization_per_s=0)
    gateway = Gateway(clock=RunningClock().now, audience=audience, usual=usual)
    yield gateway
    await gateway.stop()


@dataclass
class Greedy:
    """An agent that sends as much as is not refused, and an alert now and then."""

    n_sent: int = 0
    n_stored: int = 0
    n_alerts: int = 0
    n_overtaken: int = 0
    """Results that were sent before an alert and stored after it."""

    async def deliver(self, app: AgentSocket, camera: Camera, *, n_alerts: int) -> None:
        """Go on until so many alerts are stored, and then until all results are."""
        socket, _ = await connect(app, camera.agent_id)
        results = [make_entry(camera.id)] * PER_BATCH
        n_alerts_sent = 0
        while self.n_alerts < n_alerts or self.n_stored < self.n_sent:
            is_over = self.n_alerts == n_alerts
            while not is_over and self.n_sent - self.n_stored < N_BATCHES * PER_BATCH:
                socket.say(make_batch(self.n_sent + 1, *results))
                self.n_sent += PER_BATCH
            if not is_over and n_alerts_sent == self.n_alerts:
                n_alerts_sent += 1
                alert = EventRaised(kind="fire", occurred_at=START, title="Fire", severity="error")
                socket.say(
                    EventBatch(epoch=1, first_seq=n_alerts_sent, lane="alerts", entries=(alert,))
                )
            ack = await socket.hear(Ack)
            if ack.lane == "alerts":
                self.n_alerts = ack.through_seq
                self.n_overtaken += self.n_sent - self.n_stored
            else:
                self.n_stored = ack.through_seq
        await socket.leave()


def cameras_of_agents(agent: Agent) -> list[Camera]:
    """Return a camera each of some agents of a site."""
    agents = [agent, *(make_agent(agent.site) for _ in range(N_AGENTS - 1))]
    return [make_camera(each) for each in agents]


def totals() -> tuple[int, int]:
    return Result.objects.count(), Event.objects.filter(lane="alerts").count()


async def test_no_alert_is_lost_results_are_late_and_memory_is_bounded(
    app: AgentSocket, agent: Agent, database: DatabaseThread, soaked: Callable[[int], int]
) -> None:
    cameras = await database.call(cameras_of_agents, agent)
    herd = [Greedy() for _ in cameras]
    process = psutil.Process()
    n_alerts = soaked(1_000)
    before_mb = process.memory_info().rss / 2**20
    await asyncio.gather(
        *(
            greedy.deliver(app, camera, n_alerts=n_alerts)
            for greedy, camera in zip(herd, cameras, strict=True)
        )
    )
    assert process.memory_info().rss / 2**20 - before_mb < MAX_GROWTH_MB
    assert all(greedy.n_overtaken > 0 for greedy in herd)
    assert await database.call(totals) == (
        sum(greedy.n_sent for greedy in herd),
        N_AGENTS * n_alerts,
    )
