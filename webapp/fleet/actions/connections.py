"""Which agents are connected. Every connection has a session number; only the newest may write."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction

from webapp.common.changes import record_change
from webapp.common.rows import Kind, Row, any_of, update_by_id, write_rows
from webapp.common.text import clean_text
from webapp.fleet.models import SILENCE, Agent

_OF_SESSION: Final[dict[str, Kind]] = {
    "session": "int8",
    "last_seen_at": "timestamptz",
    "software": "text",
    "clock_offset_ms": "float8",
}
_OPEN: Final = update_by_id(
    "fleet_agent", _OF_SESSION, ", is_connected = TRUE, slowed_to_per_s = 0"
)


def hold_agents(agent_ids: Collection[UUID]) -> dict[UUID, Agent]:
    """Lock the rows of agents, always in the same order."""
    agents = Agent.objects.filter(pk__in=any_of(agent_ids))
    return {agent.id: agent for agent in agents.select_for_update().order_by("id")}


@dataclass(frozen=True, slots=True)
class Opening:
    """A session that an agent, whose row is held, is to begin."""

    agent: Agent
    software: str
    clock_offset_ms: float
    at: datetime


def open_sessions(openings: Iterable[Opening]) -> list[Opening]:
    """Begin sessions, of each agent one; return those of agents that did not count as connected.

    Whatever an earlier session still sends is not written any more.
    """
    rows, came = dict[UUID, Row](), list[Opening]()
    for each in openings:
        agent = each.agent
        agent.session += 1
        if not agent.is_connected:
            agent.is_connected = True
            came.append(each)
        rows[agent.id] = (
            agent.id.hex, agent.session, each.at, clean_text(each.software),
            float(each.clock_offset_ms),
        )  # fmt: skip
    write_rows(_OPEN, ("uuid", *_OF_SESSION.values()), [rows[key] for key in sorted(rows)])
    _record_changes({each.agent.organization_id: each.at for each in came})
    return came


@transaction.atomic
def close_sessions(sessions: Mapping[UUID, int], *, at: datetime) -> list[Agent]:
    """End sessions; return the agents that are offline now: of others a newer session goes on."""
    connected = Agent.objects.filter(pk__in=any_of(sessions), is_connected=True)
    gone = [
        agent
        for agent in connected.select_for_update(no_key=True).order_by("id")
        if agent.session == sessions[agent.id]
    ]
    Agent.objects.filter(pk__in=any_of(agent.id for agent in gone)).update(
        is_connected=False, last_seen_at=at
    )
    _record_changes({agent.organization_id: at for agent in gone})
    return gone


@transaction.atomic
def close_silent_sessions(*, connected: Collection[UUID], at: datetime) -> list[Agent]:
    """End the sessions that nobody closed: of a hub process that died. Return their agents.

    `connected` are the agents of this process: it knows better.
    """
    silent = Agent.objects.filter(is_connected=True, last_seen_at__lt=at - SILENCE)
    gone = [
        agent for agent in silent.select_for_update().order_by("id") if agent.id not in connected
    ]
    Agent.objects.filter(pk__in=any_of(agent.id for agent in gone)).update(is_connected=False)
    _record_changes({agent.organization_id: at for agent in gone})
    return gone


@transaction.atomic
def record_slowed(rates: Mapping[UUID, int], *, at: datetime) -> list[Agent]:
    """Write to which rate a limit holds each agent (0: none does); return the agents."""
    agents = list(Agent.objects.filter(pk__in=rates).select_for_update().order_by("id"))
    for agent in agents:
        agent.slowed_to_per_s = rates[agent.id]
    Agent.objects.bulk_update(agents, ("slowed_to_per_s",))
    _record_changes({agent.organization_id: at for agent in agents})
    return agents


def _record_changes(organizations: Mapping[UUID, datetime]) -> None:
    for organization_id, at in sorted(organizations.items()):
        record_change(organization_id, "agents", at=at)
