"""Letting an agent in: it signs a challenge with the key that it enrolled with."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import InterfaceError, OperationalError, transaction

from processing.wire.identity import challenge_bytes
from processing.wire.limits import FUTURE_TOLERANCE_S
from processing.wire.messages import PROTOCOL, Challenge, Cursor, DesiredState, Hello, Welcome
from webapp.events.actions import Noticed, note_event, note_events
from webapp.events.models import Event
from webapp.fleet.actions import Opening, hold_agents, open_sessions
from webapp.fleet.models import Agent
from webapp.fleet.queries import build_desired_states
from webapp.gateway.refusal import Refusal
from webapp.gateway.reminders import Reminders
from webapp.results.queries import cursors_of_outboxes

log = structlog.get_logger(__name__)

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


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who answered a challenge."""

    hello: Hello
    challenge: Challenge
    at: datetime


class Doorkeeper:
    """Answers hellos. It uses the database, so it is called in a thread that may."""

    def __init__(self) -> None:
        self._reminders = Reminders()

    def admit_all(self, callers: Sequence[Caller]) -> list[Admission | Refusal]:
        """Begin sessions, of each agent one; tell the people of those who are refused.

        Whoever cannot be let in harms nobody else.
        """
        try:
            outcomes = _open_all(callers)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # what is wrong with one agent's rows must not keep the others out
            if len(callers) > 1:
                return [outcome for each in callers for outcome in self.admit_all([each])]
            log.exception("agent.not_admitted", agent=str(callers[0].hello.agent_id))
            return [Refusal("malformed", "the hub could not let this agent in; its log says why")]
        for caller, outcome in zip(callers, outcomes, strict=True):
            if isinstance(outcome, Refusal):
                self.tell_refused(caller.hello.agent_id, outcome, at=caller.at)
        return outcomes

    def tell_refused(self, agent_id: UUID, refusal: Refusal, *, at: datetime) -> None:
        """Tell the agent's people, not more than once a while."""
        if not is_told(refusal):
            return
        with self._reminders.due((agent_id, refusal.code), at=at) as is_due:
            if is_due and (agent := Agent.objects.filter(pk=agent_id).first()) is not None:
                note_event(
                    agent,
                    kind="agent_refused",
                    title=f"{agent.name} was refused: {_WORDS[refusal.code]}",
                    detail=refusal.detail,
                    severity=Event.Severity.ERROR,
                    at=at,
                )


def is_told(refusal: Refusal) -> bool:
    """Return whether people are told of it."""
    return refusal.code in _WORDS


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
def _open_all(callers: Sequence[Caller]) -> list[Admission | Refusal]:
    agents = hold_agents({caller.hello.agent_id for caller in callers})
    outcomes: dict[UUID, Admission | Refusal] = {}
    welcome: list[Caller] = []
    for caller in callers:
        hello = caller.hello
        agent = agents.get(hello.agent_id)
        if agent is None:
            outcomes[hello.agent_id] = Refusal(
                "unknown_agent", "no such agent; enrol it", is_final=True
            )
            continue
        try:
            _check(hello, agent, challenge=caller.challenge, at=caller.at)
        except Refusal as refusal:
            outcomes[agent.id] = refusal
        else:
            welcome.append(caller)
    cursors = cursors_of_outboxes({each.hello.agent_id: each.hello.epoch for each in welcome})
    _open_sessions(welcome, agents)
    desired = build_desired_states([agents[caller.hello.agent_id] for caller in welcome])
    for caller in welcome:
        agent = agents[caller.hello.agent_id]
        outcomes[agent.id] = _admission(caller, agent, cursors[agent.id], desired[agent.id])
    return [outcomes[caller.hello.agent_id] for caller in callers]


def _open_sessions(welcome: Iterable[Caller], agents: Mapping[UUID, Agent]) -> None:
    openings = [
        Opening(
            agents[caller.hello.agent_id],
            caller.hello.software,
            clock_offset_ms=(caller.hello.clock_at - caller.at).total_seconds() * 1000,
            at=caller.at,
        )
        for caller in welcome
    ]
    note_events(
        Noticed(each.agent, "agent_online", f"{each.agent.name} is online", each.at)
        for each in open_sessions(openings)
    )


def _admission(
    caller: Caller, agent: Agent, cursors: tuple[Cursor, ...], desired: DesiredState
) -> Admission:
    hello = caller.hello
    session = Session(
        agent_id=agent.id,
        organization_id=agent.organization_id,
        name=agent.name,
        number=agent.session,
        epoch=hello.epoch,
        boot_id=hello.boot_id,
    )
    welcome = Welcome(agent_name=agent.name, server_at=caller.at, cursors=cursors, desired=desired)
    return Admission(session, welcome)
