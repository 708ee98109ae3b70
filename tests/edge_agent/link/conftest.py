"""An agent's link and outbox on one side, a fake hub on the other, a real websocket between."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from edge_agent.clock import utc_now
from edge_agent.health import Health
from edge_agent.identity import Identity, IdentityFiles, Membership
from edge_agent.link import Link
from edge_agent.live import LiveDesk
from edge_agent.outbox import Outbox
from edge_agent.portions import Portions
from edge_agent.session import Parts
from processing.wire.messages import ClipDemand, DesiredState
from tests.edge_agent.fake_hub import FakeHub


@dataclass
class Rig:
    """An agent without cameras."""

    identity: Identity
    outbox: Outbox
    health: Health
    hub: FakeHub
    live: LiveDesk = field(default_factory=LiveDesk)
    portions: Portions = field(default_factory=Portions)
    desired: list[DesiredState] = field(default_factory=list)
    clip_demands: list[ClipDemand] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def linked(self) -> AsyncIterator[Link]:
        """Run the link against the hub's address."""
        parts = Parts(
            identity=self.identity,
            boot_id=uuid4(),
            software="test",
            outbox=self.outbox,
            live=self.live,
            health=self.health,
            portions=self.portions,
            on_desired=self.desired.append,
            on_clips=self.clip_demands.append,
            now=utc_now,
        )
        link = Link(self.hub.url, parts, dice=random.Random(3))
        loop = asyncio.get_running_loop()

        def on_loop(call: Callable[[], None]) -> Callable[[], None]:
            def from_any_thread() -> None:
                loop.call_soon_threadsafe(call)

            return from_any_thread

        self.outbox.call_on_commit(on_loop(link.wake))
        self.live.call_on_put(on_loop(link.wake))
        self.health.call_on_change(on_loop(link.state_changed))
        task = asyncio.create_task(link.run())
        try:
            yield link
        finally:
            self.outbox.call_on_commit(lambda: None)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    files = IdentityFiles(tmp_path)
    hub = FakeHub(UUID(int=5), files.key().public_key().public_bytes_raw())
    files.save(
        Membership(
            agent_id=hub.agent_id,
            hub_id=hub.hub_id,
            hub_url="http://127.0.0.1",
            organization="Farm",
            site="Barn",
        )
    )
    health = Health(utc_now)
    outbox = Outbox(tmp_path / "outbox.db", capacity_bytes=50_000_000, now=utc_now, problems=health)
    yield Rig(files.load(), outbox, health, hub)
    outbox.close()
