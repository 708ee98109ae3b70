"""How a camera or an agent is, in the words that a person reads first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from django.db.models import Case, F, IntegerField, Q, When

from webapp.fleet.models import Agent, Camera
from webapp.fleet.queries import agent_is_online

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

_ADVICE: Final = (
    (("401", "403", "unauthori", "password"), "Check user and password in its settings."),
    (("404", "not found"), "Check the path of its stream; the camera's manual names it."),
    (("refused",), "The device answers, but not there: check the port, and whether RTSP is on."),
    (
        ("timed out", "timeout", "no route", "unreachable"),
        "Check its power, its cable and its address.",
    ),
    (
        ("resolve", "name or service"),
        "Its name is not known in the agent's network: try its address.",
    ),
    (("no such file", "not a video", "invalid data"), "Check what its source points to."),
)
"""Parts of an agent's words, and what a person can do about them."""

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
    advice: str = ""
    """What a person can do about it."""

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
        advice=_advice(camera.state_reason) if camera.state == Camera.State.UNREACHABLE else "",
    )


def camera_urgency(*, at: datetime) -> Case:
    """Return the urgency of `camera_standing`, for the database to sort by."""
    is_known = Q(agent__is_revoked=False) & agent_is_online("agent__", at=at)
    return Case(
        When(is_enabled=False, then=_URGENCY["idle"]),
        When(~is_known, then=_URGENCY["err"]),
        *(When(state=state, then=_URGENCY[tone]) for state, (tone, _, _) in _REPORTED.items()),
        output_field=IntegerField(),
    )


def _advice(reason: str) -> str:
    """Return what to do about a stream that cannot be opened; empty where nobody knows."""
    said = reason.casefold()
    return next((words for parts, words in _ADVICE if any(part in said for part in parts)), "")


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


def agent_urgency(*, at: datetime) -> Case:
    """Return the urgency of `agent_standing`, for the database to sort by."""
    has_problems = (
        ~Q(problems=[])
        | Q(clock_offset_ms__gt=_MAX_CLOCK_OFFSET_MS)
        | Q(clock_offset_ms__lt=-_MAX_CLOCK_OFFSET_MS)
        | Q(n_pending__gt=_MANY_PENDING)
        | Q(slowed_to_per_s__gt=0)
        | Q(reported_version__lt=F("desired_version"))
    )
    return Case(
        When(is_revoked=True, then=_URGENCY["idle"]),
        When(last_seen_at=None, then=_URGENCY["warn"]),
        When(~agent_is_online(at=at), then=_URGENCY["err"]),
        When(has_problems, then=_URGENCY["warn"]),
        default=_URGENCY["ok"],
        output_field=IntegerField(),
    )


def agent_problems(agent: Agent) -> tuple[str, ...]:
    """Return what is wrong in plain words: what the agent says, and what the hub sees."""
    problems = [str(problem) for problem in agent.problems]
    offset_ms = agent.clock_offset_ms
    if offset_ms is not None and abs(offset_ms) > _MAX_CLOCK_OFFSET_MS:
        direction = "ahead of" if offset_ms > 0 else "behind"
        problems.append(f"Its clock is {abs(offset_ms) / 1000:.0f} s {direction} the hub's.")
    if agent.n_pending > _MANY_PENDING:
        problems.append(f"{agent.n_pending:,} entries wait in its outbox: its link is slow.")
    if agent.slowed_to_per_s and agent.is_connected:
        problems.append(
            f"It sends more than {agent.slowed_to_per_s:,} entries a second, which is its limit:"
            " the rest waits in its outbox."
        )
    if agent.reported_version < agent.desired_version and agent.is_connected:
        problems.append("It has not taken over the newest settings yet.")
    return tuple(problems)
