"""Reads of the fleet: what is wanted of an agent."""

from processing.wire.messages import DesiredState
from webapp.fleet.models import Agent


def build_desired_state(agent: Agent) -> DesiredState:
    """Return all that the hub wants of an agent, as of `agent.desired_version`."""
    cameras = agent.cameras.order_by("id")
    return DesiredState(
        version=agent.desired_version, cameras=tuple(camera.desired() for camera in cameras)
    )
