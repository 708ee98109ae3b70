"""Reads of the fleet: what is wanted of an agent, and how its row stands."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from processing.wire.messages import DesiredState
from webapp.fleet.models import Agent


def build_desired_state(agent: Agent) -> DesiredState:
    """Return all that the hub wants of an agent, as of `agent.desired_version`."""
    cameras = agent.cameras.order_by("id")
    return DesiredState(
        version=agent.desired_version, cameras=tuple(camera.desired() for camera in cameras)
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """What a connection must know of its agent's row."""

    session: int
    is_revoked: bool
    desired_version: int


def read_standings(agent_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Return how the rows of these agents stand; of an agent that is gone, nothing."""
    rows = Agent.objects.filter(pk__in=agent_ids).values_list(
        "id", "session", "is_revoked", "desired_version"
    )
    return {
        agent_id: Standing(session, is_revoked, desired_version)
        for agent_id, session, is_revoked, desired_version in rows
    }
