"""Ten times what agents may send: alerts come through, results come late, memory stays flat."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psutil
import pytest
import structlog

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

log = structlog.get_logger(__name__)

N_AGENTS = 3
PER_BATCH = 50
PER_S = 500.0
"""Of each agent, which always has seconds' worth of it under way."""
WINDOW = (MAX_IN_FLIGHT - 2) * PER_BATCH
MAX_GROWTH_MB = 100.0
"""64 of them are for SQLite's pages."""


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
    """An agent that always has as much under way as is not refused, and an alert."""

    n_sent: int = 0
    n_stored: int = 0
    n_alerts: int = 0
    n_overtaken: int = 0
    """Results that were sent before an alert and stored after it."""
    slowest_alert_s: float = 0.0
    recovered_s: float = 0.0
    """From the end of the load until all was stored."""

    async def deliver(self, app: AgentSocket, camera: Camera, *, for_s: float) -> None:
        """Go on for so long, and then until all is stored."""
        socket, _ = await connect(app, camera.agent_id)
        results = [make_entry(camera.id)] * PER_BATCH
        alert = EventRaised(kind="fire", occurred_at=START, title="Fire", severity="error")
        n_alerts_sent = n_ahead = 0
        alert_at = time.monotonic()
        ends_at = alert_at + for_s
        while not (is_over := time.monotonic() >= ends_at) or (
            self.n_stored < self.n_sent or self.n_alerts < n_alerts_sent
        ):
            while not is_over and self.n_sent - self.n_stored < WINDOW:
                socket.say(make_batch(self.n_sent + 1, *results))
                self.n_sent += PER_BATCH
            if not is_over and n_alerts_sent == self.n_alerts:
                n_alerts_sent += 1
                socket.say(
                    EventBatch(epoch=1, first_seq=n_alerts_sent, lane="alerts", entries=(alert,))
                )
                n_ahead, alert_at = self.n_sent, time.monotonic()
            ack = await socket.hear(Ack)
            if ack.lane == "alerts":
                self.n_alerts = ack.through_seq
                self.n_overtaken += n_ahead - self.n_stored
                self.slowest_alert_s = max(self.slowest_alert_s, time.monotonic() - alert_at)
            else:
                self.n_stored = ack.through_seq
        self.recovered_s = time.monotonic() - ends_at
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
    for_s = soaked(60)
    before_mb = process.memory_info().rss / 2**20
    await asyncio.gather(
        *(
            greedy.deliver(app, camera, for_s=for_s)
            for greedy, camera in zip(herd, cameras, strict=True)
        )
    )
    grown_mb = process.memory_info().rss / 2**20 - before_mb
    log.info(
        "overloaded",
        n_results=sum(greedy.n_sent for greedy in herd),
        n_alerts=sum(greedy.n_alerts for greedy in herd),
        slowest_alert_s=round(max(greedy.slowest_alert_s for greedy in herd), 3),
        recovered_s=round(max(greedy.recovered_s for greedy in herd), 3),
        grown_mb=round(grown_mb, 1),
        n_overtaken=[round(greedy.n_overtaken / greedy.n_alerts) for greedy in herd],
    )
    assert grown_mb < MAX_GROWTH_MB
    assert all(greedy.n_overtaken > greedy.n_alerts * WINDOW / 2 for greedy in herd)
    assert await database.call(totals) == (
        sum(greedy.n_sent for greedy in herd),
        sum(greedy.n_alerts for greedy in herd),
    )
