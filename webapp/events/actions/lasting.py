"""What the hub itself notices, and what goes on for a while: it begins, is kept up, and ends."""

import hashlib
from datetime import datetime

from django.db import transaction

from processing.wire.limits import MAX_TEXT
from webapp.common.changes import record_change
from webapp.common.ids import uuid7
from webapp.common.text import clean_text
from webapp.events.models import Event, Word
from webapp.fleet.models import Camera


@transaction.atomic
def begin_event(
    camera: Camera,
    *,
    kind: str,
    title: str,
    detail: str,
    severity: Event.Severity,
    at: datetime,
) -> Event:
    """Record that something began at a camera; it runs until `end_event`."""
    event = Event.objects.create(
        organization_id=camera.organization_id,
        agent_id=camera.agent_id,
        camera=camera,
        event_id=uuid7(),
        kind=kind,
        severity=severity,
        title=clean_text(title)[:MAX_TEXT],
        detail=clean_text(detail)[:MAX_TEXT],
        occurred_at=at,
        received_at=at,
        state=Event.State.RUNNING,
        spoken_at=at,
        spoken_phase=Word.Phase.START,
    )
    _say(event, Word.Phase.START, at=at)
    return event


def keep_event(event: Event, *, at: datetime) -> None:
    """Say that it still goes on: what nobody says so of for long is shown as silent."""
    Event.objects.filter(pk=event.pk, state=Event.State.RUNNING).update(spoken_at=at)


@transaction.atomic
def end_event(event: Event, *, detail: str, at: datetime) -> None:
    """Record that it is over, and why; nothing for one that is over already."""
    running = Event.objects.select_for_update().filter(pk=event.pk, state=Event.State.RUNNING)
    if (there := running.first()) is None:
        return
    there.state, there.ended_at = Event.State.OVER, at
    there.spoken_at, there.spoken_phase = at, Word.Phase.END
    there.save(update_fields=("state", "ended_at", "spoken_at", "spoken_phase"))
    there.detail = clean_text(detail)[:MAX_TEXT]  # of the last word; the event keeps its reason
    _say(there, Word.Phase.END, at=at)


def _say(event: Event, phase: Word.Phase, *, at: datetime) -> None:
    said = f"{phase} {at.isoformat()} {event.title} {event.detail}"
    Word.objects.create(
        event=event,
        phase=phase,
        said_at=at,
        title=event.title,
        detail=event.detail,
        digest=hashlib.sha256(said.encode()).hexdigest()[:32],
    )
    record_change(event.organization_id, "events", at=at)
