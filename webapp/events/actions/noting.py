"""What the hub itself notices."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from processing.wire.limits import MAX_TEXT
from webapp.common.changes import record_change
from webapp.common.text import clean_text
from webapp.events.models import Event
from webapp.fleet.models import Agent


@dataclass(frozen=True, slots=True)
class Noticed:
    """What the hub itself noticed about an agent."""

    agent: Agent
    kind: str
    title: str
    at: datetime
    detail: str = ""
    severity: Event.Severity = Event.Severity.INFO


def note_event(
    agent: Agent,
    *,
    kind: str,
    title: str,
    at: datetime,
    detail: str = "",
    severity: Event.Severity = Event.Severity.INFO,
) -> None:
    """Record what the hub itself noticed about an agent."""
    note_events([Noticed(agent, kind, title, at, detail, severity)])


def note_events(noticed: Iterable[Noticed]) -> None:
    """Record what the hub itself noticed about agents, at once."""
    _record(
        Event(
            organization_id=each.agent.organization_id,
            agent=each.agent,
            kind=each.kind,
            title=each.title,
            detail=each.detail,
            severity=each.severity,
            occurred_at=each.at,
        )
        for each in noticed
    )


def note_of_organization(
    organization_id: UUID,
    *,
    kind: str,
    title: str,
    at: datetime,
    detail: str = "",
    severity: Event.Severity = Event.Severity.INFO,
) -> None:
    """Record what the hub itself noticed about what it keeps for an organization."""
    event = Event(
        organization_id=organization_id,
        kind=kind,
        title=title,
        detail=detail,
        severity=severity,
        occurred_at=at,
    )
    _record([event])


@transaction.atomic
def _record(noticed: Iterable[Event]) -> None:
    events = list(noticed)
    for event in events:
        event.title = event.title[:MAX_TEXT]
        event.detail = clean_text(event.detail)[:MAX_TEXT]
        event.received_at = event.occurred_at
    Event.objects.bulk_create(events)
    newest = {event.organization_id: event.received_at for event in events}
    for organization_id, at in sorted(newest.items()):
        record_change(organization_id, "events", at=at)
