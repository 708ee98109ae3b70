"""The right to have the cloud judge frames: agents that want it get it, and get it renewed."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from django.conf import settings

from processing.wire.messages import BundleState, OverflowAccess
from processing.wire.tier import TierBundle
from webapp.common.rows import any_of
from webapp.fleet.models import Agent
from webapp.gateway.connection import Connection, Connections
from webapp.gateway.database import DatabaseThread
from webapp.inference.models import SILENCE, Tier
from webapp.inference.tokens import AGENT_TOKEN_S, agent_token

_MAX_BUNDLES: Final = 16
_MAX_LABELS: Final = 2048
"""Of all bundles together: the message must be read by the agent."""


class Overflow:
    """Tells connected agents where the inference tier is, and by what right they may use it."""

    def __init__(self, connections: Connections, database: DatabaseThread) -> None:
        self._connections = connections
        self._database = database

    async def follow(self, *, at: datetime) -> None:
        """Tell those who do not know yet, or whose right ends, or when other bundles judge."""
        if not settings.TIER_URL:
            return
        wanting = [each for each in self._connections if _wants_cloud(each)]
        if not wanting:
            return
        bundles = await self._database.call(_bundles, at=at)
        due = [each for each in wanting if each.access.is_due(bundles, at=at)]
        if not due:
            return
        tokens = await self._database.call(_tokens, [each.session.agent_id for each in due], at=at)
        for connection in due:
            token = tokens.get(connection.session.agent_id)
            if token is not None:
                connection.access.tell(bundles, at=at)
                connection.outbound.give_access(_access(token, bundles))


def _wants_cloud(connection: Connection) -> bool:
    return any(camera.overflow.mode != "off" for camera in connection.desired.cameras)


def _access(token: str, bundles: tuple[BundleState, ...]) -> OverflowAccess:
    return OverflowAccess(
        url=settings.TIER_PUBLIC_URL,
        token=token,
        expires_s=AGENT_TOKEN_S,
        price_per_1000=settings.TIER_PRICE_PER_1000,
        bundles=bundles,
    )


def _tokens(agent_ids: Collection[UUID], *, at: datetime) -> dict[UUID, str]:
    agents = Agent.objects.filter(pk__in=any_of(agent_ids), is_revoked=False)
    return {agent.id: agent_token(agent, at=at) for agent in agents}


def _bundles(*, at: datetime) -> tuple[BundleState, ...]:
    """Return what the tiers that are here say they can judge with."""
    known: dict[bytes, BundleState] = {}
    n_labels = 0
    for tier in Tier.objects.filter(seen_at__gt=at - SILENCE).order_by("first_seen_at"):
        for bundle in sorted(_told(tier), key=lambda each: (each.state != "ready", each.digest)):
            digest = bytes.fromhex(bundle.digest)
            is_too_much = n_labels + len(bundle.labels) > _MAX_LABELS or len(known) >= _MAX_BUNDLES
            if bundle.state == "failed" or digest in known or is_too_much:
                continue
            n_labels += len(bundle.labels)
            known[digest] = BundleState(
                digest=digest,
                name=bundle.name,
                version=bundle.version,
                labels=bundle.labels,
                device="cloud",
            )
    return tuple(known.values())


def _told(tier: Tier) -> list[TierBundle]:
    """Return what a tier has; nothing of one whose report another version of the hub took."""
    try:
        return msgspec.convert(tier.state.get("bundles", []), list[TierBundle])
    except msgspec.ValidationError:
        return []
