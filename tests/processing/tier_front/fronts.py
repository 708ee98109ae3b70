"""A tier's fronts over a fake tier, and keys that a hub of ours knows."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import httpx
import numpy as np
from prometheus_client import CollectorRegistry

from processing.tier.fake import FakeTier
from processing.tier.front.bodies import Bodies
from processing.tier.front.door import Door
from processing.tier.hub.asking import HubAway
from processing.tier.hub.credentials import Grants
from processing.tier.hub.metering import Uses
from processing.tier.program.application import make_application
from processing.tier.program.metrics import DoorFigures
from processing.vision.detections import Detections
from processing.wire.tier import Grant, Scope

KEY = "fw_known"
BEARER = {"Authorization": f"Bearer {KEY}"}
JPEG = b"\xff\xd8\xff\xe0 not decoded by a fake tier \xff\xd9"
MODEL = "fake"


def make_grant(
    *,
    scopes: tuple[Scope, ...] = ("detect", "models"),
    pictures_per_s: float = 1000.0,
    burst: int = 1000,
    n_left_today: int | None = None,
    expires_s: float = 30.0,
    grant_id: UUID | None = None,
) -> Grant:
    return Grant(
        grant_id=grant_id or uuid4(),
        kind="key",
        organization_id=uuid4(),
        scopes=scopes,
        pictures_per_s=pictures_per_s,
        burst=burst,
        n_left_today=n_left_today,
        expires_s=expires_s,
    )


@dataclass
class Hub:
    """A `GrantSource` that knows what it is told to, and goes away when it is told to."""

    grants: dict[str, Grant] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    is_away: bool = False

    async def ask(self, bearer: str) -> Grant | None:
        self.asked.append(bearer)
        if self.is_away:
            raise HubAway("the hub does not answer")
        return self.grants.get(bearer)


class Moment:
    """A monotonic clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def __call__(self) -> float:
        return self.at_s


class Fronts:
    """Everything that stands before a tier, but for its servers."""

    def __init__(
        self, tier: FakeTier | None = None, grant: Grant | None = None, *, bodies_mb: int = 64
    ) -> None:
        self.tier = tier or FakeTier()
        self.moment = Moment()
        self.hub = Hub({KEY: grant or make_grant()})
        self.uses = Uses()
        self.grants = Grants(self.hub, clock=self.moment)
        self.door = Door(
            self.tier, self.grants, self.uses, clock=self.moment, wall_clock=lambda: 5.0
        )
        self.bodies = Bodies(bodies_mb * 1024 * 1024)
        self.registry = CollectorRegistry()
        self.registry.register(DoorFigures(self.door, self.bodies, self.uses))
        self.troubles: list[str] = []
        self.application = make_application(
            self.door, self.bodies, self.registry, troubles=lambda: self.troubles
        )

    @asynccontextmanager
    async def client(self, *, is_known: bool = True) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app=self.application)
        headers = BEARER if is_known else {}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://tier", headers=headers
        ) as client:
            yield client


def found(*scores: float) -> Detections:
    """Return things of label 0, each a quarter of a fake tier's picture."""
    n = len(scores)
    boxes = np.tile(np.array([[0, 0, 32, 24]], np.float32), (n, 1))
    return Detections(boxes, np.array(scores, np.float32), np.zeros(n, np.int32))


async def until(is_so: Callable[[], bool]) -> None:
    """Let other tasks go on until something is so."""
    async with asyncio.timeout(30.0):
        while not is_so():  # noqa: ASYNC110  # it is any condition of others
            await asyncio.sleep(0.001)
