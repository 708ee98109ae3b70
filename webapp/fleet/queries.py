"""Reads of the fleet: what is wanted of an agent, and how its row stands."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from processing.wire.messages import DesiredState
from webapp.common.rows import any_of
from webapp.fleet.models import SILENCE, Agent, Camera


def agent_is_online(prefix: str = "", *, at: datetime) -> Q:
    """Return `Agent.is_online` as a condition; `prefix` leads to the agent, as in "agent__"."""
    return Q((f"{prefix}is_connected", True), (f"{prefix}last_seen_at__gte", at - SILENCE))


def build_desired_state(agent: Agent) -> DesiredState:
    """Return all that the hub wants of an agent, as of `agent.desired_version`."""
    return build_desired_states([agent])[agent.id]


def build_desired_states(agents: Collection[Agent]) -> dict[UUID, DesiredState]:
    """Return all that the hub wants of these agents."""
    cameras = cameras_of(agents)
    return {
        agent.id: DesiredState(
            version=agent.desired_version,
            cameras=tuple(camera.desired() for camera in cameras[agent.id]),
        )
        for agent in agents
    }


def cameras_of(agents: Iterable[Agent]) -> dict[UUID, list[Camera]]:
    """Return the cameras of each agent, oldest first: one question for all."""
    of_agent: dict[UUID, list[Camera]] = {agent.id: [] for agent in agents}
    for camera in Camera.objects.filter(agent__in=any_of(of_agent)).order_by("id"):
        of_agent[camera.agent_id].append(camera)
    return of_agent


@dataclass(frozen=True, slots=True)
class Standing:
    """What a connection must know of its agent's row."""

    session: int
    is_revoked: bool
    desired_version: int


def read_standings(agent_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Return how the rows of these agents stand; of an agent that is gone, nothing."""
    rows = Agent.objects.filter(pk__in=any_of(agent_ids)).values_list(
        "id", "session", "is_revoked", "desired_version"
    )
    return {
        agent_id: Standing(session, is_revoked, desired_version)
        for agent_id, session, is_revoked, desired_version in rows
    }
