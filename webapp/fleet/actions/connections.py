"""Which agents are connected. Every connection has a session number; only the newest may write."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from processing.wire.limits import HEARTBEAT_S
from webapp.common.changes import record_change
from webapp.common.text import clean_text
from webapp.fleet.models import MISSED_HEARTBEATS, Agent

SILENCE = timedelta(seconds=MISSED_HEARTBEATS * HEARTBEAT_S)
"""After so long without a word an agent is offline."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A new session of an agent."""

    agent: Agent
    was_connected: bool


@transaction.atomic
def open_session(agent: Agent, *, software: str, clock_offset_ms: float, at: datetime) -> Opened:
    """Begin a session; whatever an earlier one still sends is not written any more."""
    agent = (
        Agent.objects.select_for_update(of=("self",))
        .select_related("organization")
        .get(pk=agent.pk)
    )
    was_connected = agent.is_connected
    agent.session += 1
    agent.is_connected = True
    agent.last_seen_at = at
    agent.software = clean_text(software)
    agent.clock_offset_ms = clock_offset_ms
    agent.save(
        update_fields=("session", "is_connected", "last_seen_at", "software", "clock_offset_ms")
    )
    if not was_connected:
        record_change(agent.organization_id, "agents", at=at)
    return Opened(agent, was_connected)


@transaction.atomic
def close_session(agent_id: UUID, *, session: int, at: datetime) -> Agent | None:
    """End a session; return the agent if it is offline now, None if a newer session goes on."""
    mine = Agent.objects.filter(pk=agent_id, session=session, is_connected=True)
    if not mine.update(is_connected=False, last_seen_at=at):
        return None
    agent = Agent.objects.get(pk=agent_id)
    record_change(agent.organization_id, "agents", at=at)
    return agent


@transaction.atomic
def close_silent_sessions(*, connected: Collection[UUID], at: datetime) -> list[Agent]:
    """End the sessions that nobody closed: of a hub process that died. Return their agents.

    `connected` are the agents of this process: it knows better.
    """
    silent = Agent.objects.filter(is_connected=True, last_seen_at__lt=at - SILENCE)
    gone = [
        agent for agent in silent.select_for_update().order_by("id") if agent.id not in connected
    ]
    for agent in gone:
        agent.is_connected = False
        agent.save(update_fields=("is_connected",))
    for organization_id in {agent.organization_id for agent in gone}:
        record_change(organization_id, "agents", at=at)
    return gone
