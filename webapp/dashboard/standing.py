"""How a camera or an agent is, in the words that a person reads first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from webapp.fleet.models import Agent, Camera

Tone = Literal["ok", "warn", "err", "idle"]

_URGENCY: Final[dict[Tone, int]] = {"err": 0, "warn": 1, "ok": 2, "idle": 3}
_REPORTED: Final[dict[Camera.State, tuple[Tone, str, str]]] = {
    Camera.State.ONLINE: ("ok", "Live", ""),
    Camera.State.CONNECTING: ("warn", "Connecting", "The agent opens the stream."),
    Camera.State.UNREACHABLE: ("err", "Unreachable", "The agent gets no picture from it."),
    Camera.State.DISABLED: ("idle", "Off", ""),
    Camera.State.UNKNOWN: ("warn", "Waiting for the agent", "{agent} has not reported on it yet."),
}
"""What the agent says of a camera: tone, word, and the reason when it gives none."""

_MAX_CLOCK_OFFSET_MS: Final = 5000.0
_MANY_PENDING: Final = 2000


@dataclass(frozen=True, slots=True)
class Standing:
    """A state with its reason."""

    tone: Tone
    word: str
    reason: str = ""
    since_at: datetime | None = None
    is_busy: bool = False
    """Something is under way; it may be different in a moment."""

    @property
    def urgency(self) -> int:
        """Return where it belongs among others: what needs a person comes first."""
        return _URGENCY[self.tone]


def camera_standing(camera: Camera, *, at: datetime) -> Standing:
    """Return how a camera is; while its agent is silent, nobody knows what the camera does."""
    agent = camera.agent
    if not camera.is_enabled:
        return Standing("idle", "Off", "Switched off in its settings.")
    if agent.is_revoked:
        return Standing("err", "Agent revoked", f"{agent.name} may no longer connect.")
    if not agent.is_online(at=at):
        reason = f"{agent.name} is not connected; it goes on by itself and catches up later."
        return Standing("err", "Agent offline", reason, agent.last_seen_at)
    tone, word, usual_reason = _REPORTED[Camera.State(camera.state)]
    return Standing(
        tone,
        word,
        camera.state_reason or usual_reason.format(agent=agent.name),
        camera.state_since_at,
        is_busy=tone == "warn",
    )


def agent_standing(agent: Agent, *, at: datetime) -> Standing:
    """Return how an agent is."""
    if agent.is_revoked:
        return Standing("idle", "Revoked", "It may no longer connect.")
    if agent.last_seen_at is None:
        return Standing("warn", "Never connected", "Enrolled, but not started yet.", is_busy=True)
    if not agent.is_online(at=at):
        return Standing("err", "Offline", "", agent.last_seen_at)
    if agent_problems(agent):
        return Standing("warn", "Online", "", agent.last_seen_at)
    return Standing("ok", "Online", "", agent.last_seen_at)


def agent_problems(agent: Agent) -> tuple[str, ...]:
    """Return what is wrong in plain words: what the agent says, and what the hub sees."""
    problems = [str(problem) for problem in agent.problems]
    offset_ms = agent.clock_offset_ms
    if offset_ms is not None and abs(offset_ms) > _MAX_CLOCK_OFFSET_MS:
        direction = "ahead of" if offset_ms > 0 else "behind"
        problems.append(f"Its clock is {abs(offset_ms) / 1000:.0f} s {direction} the hub's.")
    if agent.n_pending > _MANY_PENDING:
        problems.append(f"{agent.n_pending:,} entries wait in its outbox: its link is slow.")
    if agent.reported_version < agent.desired_version and agent.is_connected:
        problems.append("It has not taken over the newest settings yet.")
    return tuple(problems)
