"""What a process does at intervals for its connections: follow the database, notice silence."""

from datetime import datetime
from uuid import UUID

from processing.wire.messages import DesiredState
from webapp.events.actions import note_event
from webapp.events.models import Event
from webapp.fleet.actions import SILENCE, close_session, close_silent_sessions
from webapp.fleet.models import Agent
from webapp.fleet.queries import Standing, build_desired_state, read_standings
from webapp.gateway.connection import Connection, Connections
from webapp.gateway.database import DatabaseThread
from webapp.gateway.refusal import Refusal


class Upkeep:
    """Level-triggered: what a process missed, because another one wrote it, it sees in a second."""

    def __init__(self, connections: Connections, database: DatabaseThread) -> None:
        self._connections = connections
        self._database = database

    async def follow_fleet(self) -> None:
        """Close what was revoked or superseded elsewhere; tell agents what is wanted anew."""
        connections = list(self._connections)  # whoever joins meanwhile was not asked about
        if not connections:
            return
        standings = await self._database.call(
            read_standings, [connection.session.agent_id for connection in connections]
        )
        for connection in connections:
            standing = standings.get(connection.session.agent_id)
            if (refusal := _fence(connection, standing)) is not None:
                connection.outbound.end(refusal)
            elif standing is not None and standing.desired_version > connection.desired.version:
                desired = await self._database.call(_read_desired, connection.session.agent_id)
                connection.want(desired)

    def close_silent(self, *, at: datetime) -> None:
        """Close the connections on which nothing came for too long."""
        for connection in self._connections:
            if at - connection.last_heard_at > SILENCE:
                connection.outbound.end(
                    Refusal("timeout", f"nothing came for {SILENCE.total_seconds():.0f} s")
                )

    async def sweep(self, *, at: datetime) -> None:
        """Mark agents offline whose hub process died with the connection."""
        await self._database.call(_sweep, self._connections.agent_ids, at=at)


def _fence(connection: Connection, standing: Standing | None) -> Refusal | None:
    if standing is None:
        return Refusal("unknown_agent", "this agent was removed", is_final=True)
    if standing.is_revoked:
        return Refusal("revoked", "this agent was revoked; enrol it anew", is_final=True)
    if standing.session > connection.session.number:
        return Refusal("superseded", "another connection of this agent is newer")
    return None


def _read_desired(agent_id: UUID) -> DesiredState:
    return build_desired_state(Agent.objects.get(pk=agent_id))


def _sweep(connected: list[UUID], *, at: datetime) -> None:
    for agent in close_silent_sessions(connected=connected, at=at):
        tell_offline(agent, reason="nothing was heard of it", at=at)


def end_session(agent_id: UUID, *, session: int, at: datetime) -> None:
    """Say that an agent has gone, unless it is back already."""
    agent = close_session(agent_id, session=session, at=at)
    if agent is not None and not agent.is_revoked:
        tell_offline(agent, reason="its connection ended", at=at)


def tell_offline(agent: Agent, *, reason: str, at: datetime) -> None:
    note_event(
        agent,
        kind="agent_offline",
        title=f"{agent.name} is offline",
        detail=reason,
        severity=Event.Severity.WARNING,
        at=at,
    )
