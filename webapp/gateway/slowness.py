"""Following what organizations may send, and telling people whose agent is over it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction

from webapp.accounts.queries import OwnLimits, read_own_limits
from webapp.events.actions import note_event
from webapp.events.models import Event
from webapp.fleet.actions import record_slowed
from webapp.gateway.connection import Connections
from webapp.gateway.database import DatabaseThread
from webapp.gateway.ingest.allowance import Allowances, Limit, Limits
from webapp.gateway.reminders import Reminders

REMIND: Final = timedelta(hours=1)


class Slowness:
    """Level-triggered: every few seconds the page says which agents are slowed just now."""

    def __init__(
        self, connections: Connections, allowances: Allowances, database: DatabaseThread
    ) -> None:
        self._connections = connections
        self._allowances = allowances
        self._database = database
        self._slowed: dict[UUID, Limit] = {}
        self._reminders = Reminders(REMIND)

    async def follow(self, *, at: datetime) -> None:
        """Take over changed limits; write down who is slowed, and who no longer is."""
        self._allowances.forget_idle(at=at)
        connections = list(self._connections)
        if connections:
            organization_ids = {each.session.organization_id for each in connections}
            own = await self._database.call(read_own_limits, organization_ids)
            self._allowances.limit({key: self._limits(each) for key, each in own.items()})
        slowed = {each.session.agent_id: each.slowed_by for each in connections if each.slowed_by}
        for connection in connections:
            connection.slowed_by = None
        changed = {
            agent_id: slowed.get(agent_id)
            for agent_id in slowed.keys() | self._slowed.keys()
            if slowed.get(agent_id) != self._slowed.get(agent_id)
        }
        if changed:
            await self._database.call(self._write, changed, at=at)
        self._slowed = slowed

    def _limits(self, own: OwnLimits) -> Limits:
        """Return an organization's limits; where it has none of its own, the usual."""
        usual = self._allowances.usual
        return Limits(
            agent_per_s=usual.agent_per_s if own.agent_per_s is None else own.agent_per_s,
            organization_per_s=(
                usual.organization_per_s if own.all_per_s is None else own.all_per_s
            ),
        )

    @transaction.atomic
    def _write(self, changed: Mapping[UUID, Limit | None], *, at: datetime) -> None:
        """Runs in the database's thread."""
        rates = {agent_id: int(limit.per_s) if limit else 0 for agent_id, limit in changed.items()}
        for agent in record_slowed(rates, at=at):
            limit = changed[agent.id]
            if limit is None:
                continue
            whose = agent.organization_id if limit.is_organizations else agent.id
            with self._reminders.due(whose, at=at) as is_due:
                if is_due:
                    note_event(
                        agent,
                        kind="agent_slowed",
                        title=f"{agent.name} sends more than it may",
                        detail=_words(limit),
                        severity=Event.Severity.WARNING,
                        at=at,
                    )


def _words(limit: Limit) -> str:
    whose = "all agents of the organization together" if limit.is_organizations else "one agent"
    return (
        f"{limit.per_s:,.0f} entries a second are allowed to {whose}. What is more is taken later;"
        " until then it waits in the agent's outbox, and nothing is lost while there is room"
    )
