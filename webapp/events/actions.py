"""Writing down what people are told about."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from django.db import transaction

from processing.wire.limits import MAX_TEXT
from processing.wire.messages import EventRaised
from webapp.common.changes import record_change
from webapp.common.text import clean_text
from webapp.events.models import Event
from webapp.fleet.models import Agent

EventLane: TypeAlias = Literal["alerts", "events"]


@dataclass(frozen=True, slots=True)
class Raised:
    """An entry of an agent's alerts or events lane."""

    agent: Agent
    epoch: int
    lane: EventLane
    seq: int
    event: EventRaised
    received_at: datetime


@transaction.atomic
def note_event(
    agent: Agent,
    *,
    kind: str,
    title: str,
    at: datetime,
    detail: str = "",
    severity: Event.Severity = Event.Severity.INFO,
) -> Event:
    """Record what the hub itself noticed about an agent."""
    event = Event.objects.create(
        organization_id=agent.organization_id,
        agent=agent,
        kind=kind,
        severity=severity,
        title=title[:MAX_TEXT],
        detail=clean_text(detail)[:MAX_TEXT],
        occurred_at=at,
        received_at=at,
    )
    record_change(agent.organization_id, "events", at=at)
    return event


@transaction.atomic
def record_raised(arrivals: Iterable[Raised]) -> None:
    """Record what agents raised; an entry that is there already stays as it is."""
    rows = [_row(raised) for raised in arrivals]
    Event.objects.bulk_create(rows, ignore_conflicts=True)
    newest = {row.organization_id: row.received_at for row in rows}
    for organization_id, at in newest.items():
        record_change(organization_id, "events", at=at)


def _row(raised: Raised) -> Event:
    event = raised.event
    return Event(
        organization_id=raised.agent.organization_id,
        agent=raised.agent,
        camera_id=event.camera_id,
        kind=clean_text(event.kind),
        severity=event.severity,
        title=clean_text(event.title),
        detail=clean_text(event.detail),
        occurred_at=event.occurred_at,
        received_at=raised.received_at,
        epoch=raised.epoch,
        lane=raised.lane,
        seq=raised.seq,
    )
