"""Agents whose cameras want the cloud are told where it is; what they count becomes hours."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from processing.wire.messages import (
    OverflowAccess,
)
from processing.wire.overflow import OverflowState
from processing.wire.tier import TierBundle
from tests.factories import START, Clock
from tests.webapp.gateway.double import connect
from tests.webapp.gateway.test_report_state import make_report, reported
from webapp.fleet.actions import update_camera
from webapp.fleet.models import Agent, Camera
from webapp.gateway.database import DatabaseThread
from webapp.gateway.gateway import Gateway
from webapp.gateway.socket import AgentSocket
from webapp.inference.models import Tier
from webapp.inference.tokens import AGENT_TOKEN_S, read_token
from webapp.monitoring.models import OverflowHour

DIGEST = "ab" * 16


@pytest.fixture
def overflowing(camera: Camera, settings: Any) -> Camera:
    """A camera whose frames may go to the cloud, at a hub that has one."""
    settings.TIER_URL = "http://127.0.0.1:9000"
    settings.TIER_PUBLIC_URL = "https://tier.example.org"
    settings.TIER_PRICE_PER_1000 = 2.0
    return update_camera(camera, at=START, policies={"overflow": {"mode": "saturated"}})


def add_tier(**fields: Any) -> Tier:
    bundle = TierBundle(
        digest=DIGEST, name="rtdetr", version="3", labels=("person", "car"), state="ready"
    )
    state = {"bundles": [msgspec.to_builtins(bundle)]}
    return Tier.objects.create(
        **{
            "id": uuid4(),
            "first_seen_at": START,
            "seen_at": START,
            "up_since_at": START,
            "state": state,
        }
        | fields
    )


async def test_it_works(
    gateway: Gateway,
    overflowing: Camera,
    agent: Agent,
    clock: Clock,
    database: DatabaseThread,
) -> None:
    await database.call(add_tier)
    socket, _ = await connect(AgentSocket(gateway), agent.id)
    await gateway.give_access()
    access = await socket.hear(OverflowAccess)
    assert (access.url, access.price_per_1000) == ("https://tier.example.org", 2.0)
    assert read_token(access.token, at=clock.now()).id == agent.id
    assert access.expires_s == AGENT_TOKEN_S
    [bundle] = access.bundles
    assert (bundle.digest.hex(), bundle.labels, bundle.device) == (
        DIGEST, ("person", "car"), "cloud",
    )  # fmt: skip
    await gateway.give_access()
    assert await socket.is_silent()
    await socket.leave()


async def test_it_is_renewed_before_it_lapses(
    gateway: Gateway, overflowing: Camera, agent: Agent, clock: Clock
) -> None:
    socket, _ = await connect(AgentSocket(gateway), agent.id)
    await gateway.give_access()
    first = await socket.hear(OverflowAccess)
    clock.advance(seconds=AGENT_TOKEN_S / 3)
    await gateway.give_access()
    second = await socket.hear(OverflowAccess)
    ends = [read_token(each.token, at=clock.now()).expires_at for each in (first, second)]
    assert ends[1] - ends[0] == timedelta(seconds=AGENT_TOKEN_S / 3)
    await socket.leave()


async def test_another_bundle_at_the_tier_is_told(
    gateway: Gateway, overflowing: Camera, agent: Agent, database: DatabaseThread
) -> None:
    socket, _ = await connect(AgentSocket(gateway), agent.id)
    await gateway.give_access()
    assert (await socket.hear(OverflowAccess)).bundles == ()
    await database.call(add_tier)
    await gateway.give_access()
    assert len((await socket.hear(OverflowAccess)).bundles) == 1
    await socket.leave()


def tier_bundle(number: int, *, n_labels: int, state: str = "ready") -> dict[str, Any]:
    return {
        "digest": f"{number:02x}" * 16,
        "name": f"b{number}",
        "version": "1",
        "labels": [f"thing {n}" for n in range(n_labels)],
        "state": state,
    }


async def test_only_the_labels_of_what_is_told_count_against_their_limit(
    gateway: Gateway, overflowing: Camera, agent: Agent, database: DatabaseThread
) -> None:
    large = [tier_bundle(1, n_labels=1500), tier_bundle(2, n_labels=1500)]
    small = [tier_bundle(3, n_labels=80), tier_bundle(4, n_labels=1, state="failed")]
    for bundles in (large, large + small):
        await database.call(add_tier, state={"bundles": bundles})
    socket, _ = await connect(AgentSocket(gateway), agent.id)
    await gateway.give_access()
    told = {bundle.name for bundle in (await socket.hear(OverflowAccess)).bundles}
    assert told == {"b1", "b3"}
    await socket.leave()


async def test_a_report_that_another_version_of_the_hub_took_stops_nobody(
    gateway: Gateway, overflowing: Camera, agent: Agent, database: DatabaseThread
) -> None:
    await database.call(add_tier, state={"bundles": [{"digest": 3}]})
    await database.call(add_tier)
    socket, _ = await connect(AgentSocket(gateway), agent.id)
    await gateway.give_access()
    assert len((await socket.hear(OverflowAccess)).bundles) == 1
    await socket.leave()


async def test_without_a_tier_or_a_wish_nothing_is_said(
    gateway: Gateway,
    overflowing: Camera,
    agent: Agent,
    settings: Any,
    database: DatabaseThread,
) -> None:
    socket, _ = await connect(AgentSocket(gateway), agent.id)
    settings.TIER_URL = ""
    await gateway.give_access()
    assert await socket.is_silent()
    await socket.leave()
    settings.TIER_URL = "http://127.0.0.1:9000"
    await database.call(
        lambda: update_camera(overflowing, at=START, policies={"overflow": {"mode": "off"}})
    )
    socket, _ = await connect(AgentSocket(gateway), agent.id)
    await gateway.give_access()
    assert await socket.is_silent()
    await socket.leave()


async def test_what_agents_count_becomes_hours(
    app: AgentSocket, agent: Agent, camera: Camera, database: DatabaseThread
) -> None:
    socket, _ = await connect(app, agent.id)
    state = OverflowState(since_at=START, n_cloud=5, n_local=7, n_saturated=5, n_bytes=900)
    for _ in range(2):
        await reported(socket, make_report(camera, overflow=state))
    hour = await database.call(OverflowHour.objects.get)
    assert (hour.n_cloud, hour.n_local, hour.n_bytes, hour.camera_id) == (5, 7, 900, camera.pk)
    await socket.leave()
