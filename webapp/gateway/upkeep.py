"""What a process does at intervals for its connections: follow the database, notice silence."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from processing.wire.messages import DesiredState
from webapp.common.rows import any_of
from webapp.events.actions import Noticed, note_events
from webapp.events.models import Event
from webapp.fleet.actions import close_silent_sessions
from webapp.fleet.models import SILENCE, Agent
from webapp.fleet.queries import Standing, build_desired_states, read_standings
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
        changed = list[Connection]()
        for connection in connections:
            standing = standings.get(connection.session.agent_id)
            if (refusal := _fence(connection, standing)) is not None:
                connection.outbound.end(refusal)
            elif standing is not None and standing.desired_version > connection.desired.version:
                changed.append(connection)
        if changed:
            await self._tell_desired(changed)

    async def _tell_desired(self, changed: Iterable[Connection]) -> None:
        agent_ids = [connection.session.agent_id for connection in changed]
        desired = await self._database.call(_read_desired, agent_ids)
        for connection in changed:
            if (wanted := desired.get(connection.session.agent_id)) is not None:
                connection.want(wanted)

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


def _read_desired(agent_ids: Iterable[UUID]) -> dict[UUID, DesiredState]:
    return build_desired_states(Agent.objects.filter(pk__in=any_of(agent_ids)))


def _sweep(connected: list[UUID], *, at: datetime) -> None:
    tell_offline(
        close_silent_sessions(connected=connected, at=at), reason="nothing was heard of it", at=at
    )


def tell_offline(agents: Iterable[Agent], *, reason: str, at: datetime) -> None:
    """Tell people who has gone."""
    note_events(
        Noticed(
            agent,
            kind="agent_offline",
            title=f"{agent.name} is offline",
            at=at,
            detail=reason,
            severity=Event.Severity.WARNING,
        )
        for agent in agents
    )
