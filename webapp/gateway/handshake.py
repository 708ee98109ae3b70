"""Letting an agent in: it signs a challenge with the key that it enrolled with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import transaction

from processing.wire.identity import challenge_bytes
from processing.wire.limits import FUTURE_TOLERANCE_S
from processing.wire.messages import PROTOCOL, Challenge, Hello, Welcome
from webapp.events.actions import note_event
from webapp.events.models import Event
from webapp.fleet.actions import open_session
from webapp.fleet.models import Agent
from webapp.fleet.queries import build_desired_state
from webapp.gateway.refusal import Refusal
from webapp.gateway.reminders import Reminders
from webapp.results.queries import cursors_of_outbox

_WORDS: Final[dict[str, str]] = {
    "bad_signature": "somebody without its key tried to connect as this agent",
    "revoked": "it was revoked and tried to connect",
    "protocol": "its software speaks another version of the protocol",
    "clock_off": "its clock is wrong",
    "malformed": "it sent what is no message",
    "too_large": "it sent a message that is too large",
}


@dataclass(frozen=True, slots=True)
class Session:
    """Who is at the other end, and since which connection."""

    agent_id: UUID
    organization_id: UUID
    name: str
    number: int
    """Fencing: only the highest of an agent may write."""
    epoch: int
    boot_id: UUID


@dataclass(frozen=True, slots=True)
class Admission:
    """An agent that is let in, and the hub's first words to it."""

    session: Session
    welcome: Welcome


class Doorkeeper:
    """Answers hellos. It uses the database, so it is called in a thread that may."""

    def __init__(self) -> None:
        self._reminders = Reminders()

    def admit(self, hello: Hello, *, challenge: Challenge, at: datetime) -> Admission:
        """Begin a session of the agent, or raise a `Refusal` and tell its people."""
        agent = Agent.objects.filter(pk=hello.agent_id).first()
        if agent is None:
            raise Refusal("unknown_agent", "no such agent; enrol it", is_final=True)
        try:
            _check(hello, agent, challenge=challenge, at=at)
        except Refusal as refusal:
            self.tell_refused(agent.id, refusal, at=at)
            raise
        return _open(hello, agent, at=at)

    def tell_refused(self, agent_id: UUID, refusal: Refusal, *, at: datetime) -> None:
        """Tell the agent's people, not more than once a while."""
        agent = Agent.objects.filter(pk=agent_id).first()
        if agent is None or refusal.code not in _WORDS:
            return
        with self._reminders.due((agent.id, refusal.code), at=at) as is_due:
            if is_due:
                note_event(
                    agent,
                    kind="agent_refused",
                    title=f"{agent.name} was refused: {_WORDS[refusal.code]}",
                    detail=refusal.detail,
                    severity=Event.Severity.ERROR,
                    at=at,
                )


def _check(hello: Hello, agent: Agent, *, challenge: Challenge, at: datetime) -> None:
    """Raise a `Refusal` unless the agent may come in; only the key's holder learns why else."""
    _check_signature(hello, agent, challenge)
    _check_standing(agent)
    _check_protocol(hello)
    _check_clock(hello, at=at)


def _check_signature(hello: Hello, agent: Agent, challenge: Challenge) -> None:
    signed = challenge_bytes(
        hub_id=challenge.hub_id, nonce=challenge.nonce, agent_id=hello.agent_id, epoch=hello.epoch
    )
    try:
        Ed25519PublicKey.from_public_bytes(bytes(agent.public_key)).verify(hello.signature, signed)
    except InvalidSignature as error:
        raise Refusal(
            "bad_signature", "the signature is not this agent's over this challenge", is_final=True
        ) from error


def _check_standing(agent: Agent) -> None:
    if agent.is_revoked:
        raise Refusal("revoked", "this agent was revoked; enrol it anew", is_final=True)


def _check_protocol(hello: Hello) -> None:
    if hello.protocol != PROTOCOL:
        raise Refusal(
            "protocol",
            f"the agent speaks protocol {hello.protocol}, the hub {PROTOCOL}; update the older",
            is_final=True,
        )


def _check_clock(hello: Hello, *, at: datetime) -> None:
    ahead_s = (hello.clock_at - at).total_seconds()
    if abs(ahead_s) > FUTURE_TOLERANCE_S:
        direction = "ahead of" if ahead_s > 0 else "behind"
        raise Refusal(
            "clock_off",
            f"the agent's clock is {abs(ahead_s):.0f} s {direction} the hub's,"
            f" which says {at:%Y-%m-%d %H:%M:%S} UTC; {FUTURE_TOLERANCE_S:.0f} s are tolerated",
        )


@transaction.atomic
def _open(hello: Hello, agent: Agent, *, at: datetime) -> Admission:
    opened = open_session(
        agent,
        software=hello.software,
        clock_offset_ms=(hello.clock_at - at).total_seconds() * 1000,
        at=at,
    )
    agent = opened.agent
    if not opened.was_connected:
        note_event(agent, kind="agent_online", title=f"{agent.name} is online", at=at)
    session = Session(
        agent_id=agent.id,
        organization_id=agent.organization_id,
        name=agent.name,
        number=agent.session,
        epoch=hello.epoch,
        boot_id=hello.boot_id,
    )
    welcome = Welcome(
        agent_name=agent.name,
        server_at=at,
        cursors=cursors_of_outbox(agent.id, hello.epoch),
        desired=build_desired_state(agent),
    )
    return Admission(session, welcome)
