"""How an event and its clips stand, in the words that a person reads first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, assert_never

import msgspec

from webapp.events.models import CLIP_PATIENCE, Clip, Event

SILENT_AFTER: Final = timedelta(minutes=30)
"""An event that goes on is not heard of for so long now and then; beyond it, people are told."""

EventState = Literal["once", "running", "silent", "over"]
AT_ONCE: Final = timedelta(seconds=1)
"""What was over sooner than this did not last: how long it was tells nothing."""

ClipState = Literal["kept", "asked", "lapsed", "here", "gone"]


@dataclass(frozen=True, slots=True)
class EventStanding:
    """Whether an event goes on, as far as anybody knows."""

    state: EventState
    heard_at: datetime | None = None
    """When anything was heard of it last, for one that is silent."""
    lasted: timedelta | None = None
    """For one that is over and was not over at once."""


@dataclass(frozen=True, slots=True)
class EventCard:
    """One event in the list."""

    event: Event
    standing: EventStanding


@dataclass(frozen=True, slots=True)
class ClipCard:
    """One clip of an event's page."""

    clip: Clip
    state: ClipState
    is_agent_online: bool
    minutes: int = int(CLIP_PATIENCE.total_seconds() // 60)
    """So long one that was asked for is waited for."""


def event_standing(event: Event, *, at: datetime) -> EventStanding:
    """Return how an event stands. One whose agent went away runs on as far as anybody knows."""
    state = Event.State(event.state)
    match state:
        case Event.State.ONCE:
            return EventStanding("once")
        case Event.State.OVER:
            lasted = event.lasted
            did_last = lasted is not None and lasted >= AT_ONCE
            return EventStanding("over", lasted=lasted if did_last else None)
        case Event.State.RUNNING:
            heard_at = event.spoken_at or event.received_at
            agent = event.agent
            is_gone = agent is None or agent.is_revoked or not agent.is_online(at=at)
            is_silent = is_gone or at - heard_at > SILENT_AFTER
            return EventStanding("silent", heard_at) if is_silent else EventStanding("running")
        case _:
            assert_never(state)


def event_card(event: Event, *, at: datetime) -> EventCard:
    return EventCard(event, event_standing(event, at=at))


def clip_card(clip: Clip, *, at: datetime) -> ClipCard:
    """Return how a clip stands; one that did not come in time can be asked for again."""
    state: ClipState
    if clip.state == Clip.State.ASKED:
        state = "asked" if clip.is_waited_for(at=at) else "lapsed"
    else:
        state = msgspec.convert(str(clip.state), Literal["kept", "here", "gone"])
    return ClipCard(clip, state, is_agent_online=clip.agent.is_online(at=at))
