"""Noticing that two programs use one agent's key: they take the connection from each other."""

from collections import deque
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from webapp.events.actions import note_event
from webapp.events.models import Event
from webapp.fleet.models import Agent

TIMES: Final = 3
WITHIN: Final = timedelta(minutes=10)


class Rivals:
    """Counts how often an agent's connection was taken by another run of its software."""

    def __init__(self) -> None:
        self._taken_at: dict[UUID, deque[datetime]] = {}

    def took(self, agent_id: UUID, *, at: datetime) -> bool:
        """Return whether that was once too often; then the count begins anew."""
        taken_at = self._taken_at.setdefault(agent_id, deque())
        taken_at.append(at)
        while at - taken_at[0] > WITHIN:
            taken_at.popleft()
        if len(taken_at) < TIMES:
            return False
        del self._taken_at[agent_id]
        return True


def tell_rivals(agent_id: UUID, *, at: datetime) -> None:
    """Tell people: a copied data folder, or a stolen key."""
    agent = Agent.objects.filter(pk=agent_id).first()
    if agent is not None:
        note_event(
            agent,
            kind="agent_twice",
            title=f"Two programs use the key of {agent.name}",
            detail=(
                f"{TIMES} times in {WITHIN.seconds // 60} minutes one took the connection from"
                " the other. Was its data folder copied? If neither is yours, revoke the agent"
            ),
            severity=Event.Severity.ERROR,
            at=at,
        )
