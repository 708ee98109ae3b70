"""What people do about events; each deed is written down, who and when."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from processing.wire.limits import MAX_TEXT
from webapp.accounts.models import User
from webapp.common.changes import record_change
from webapp.common.text import clean_text
from webapp.events.models import Deed, Event

MAX_AT_ONCE: Final = 500
"""Events that are acknowledged in one go."""
MAX_COMMENTS: Final = 500
"""Of one event."""


class BadComment(ValueError):
    """This is no comment; the text says why."""


class TooManyComments(Exception):
    """So much was said of the event that nobody reads it any more."""


@transaction.atomic
def acknowledge(events: QuerySet[Event], *, by: User, at: datetime) -> int:
    """Say that somebody has taken note of these events; return of how many nobody had before."""
    rows = _locked(events.filter(acknowledged_at=None))
    _write_down(rows, Deed.Kind.ACKNOWLEDGED, by=by, at=at)
    return _update(rows, at=at, acknowledged_at=at, acknowledged_by=by)


@transaction.atomic
def take_back_acknowledgement(events: QuerySet[Event], *, by: User, at: datetime) -> int:
    """Say that these events are to be looked at again; return how many were acknowledged."""
    rows = _locked(events.filter(acknowledged_at__isnull=False))
    _write_down(rows, Deed.Kind.ACKNOWLEDGEMENT_UNDONE, by=by, at=at)
    return _update(rows, at=at, acknowledged_at=None, acknowledged_by=None)


@transaction.atomic
def set_false_alarm(event: Event, *, by: User, at: datetime) -> bool:
    """Say that an event was none, and acknowledge it; return whether that is new."""
    rows = _locked(Event.objects.filter(pk=event.pk, false_alarm_at=None))
    _write_down(rows, Deed.Kind.FALSE_ALARM, by=by, at=at)
    is_new = bool(_update(rows, at=at, false_alarm_at=at, false_alarm_by=by))
    unseen = [row for row in rows if row.acknowledged_at is None]
    _update(unseen, at=at, acknowledged_at=at, acknowledged_by=by)
    return is_new


@transaction.atomic
def unset_false_alarm(event: Event, *, by: User, at: datetime) -> bool:
    """Say that an event was one after all; return whether it was marked as a false alarm."""
    rows = _locked(Event.objects.filter(pk=event.pk, false_alarm_at__isnull=False))
    _write_down(rows, Deed.Kind.FALSE_ALARM_UNDONE, by=by, at=at)
    return bool(_update(rows, at=at, false_alarm_at=None, false_alarm_by=None))


@transaction.atomic
def comment(event: Event, *, by: User, text: str, at: datetime) -> Deed:
    """Say something about an event; raise `BadComment` or `TooManyComments`."""
    words = clean_text(text.replace("\r\n", "\n")).strip()
    if not words:
        raise BadComment("Say something.")
    if len(words) > MAX_TEXT:
        raise BadComment(f"At most {MAX_TEXT} characters, please; these are {len(words)}.")
    if Deed.objects.filter(event=event, kind=Deed.Kind.COMMENTED).count() >= MAX_COMMENTS:
        raise TooManyComments(f"There are {MAX_COMMENTS} comments already.")
    (deed,) = _write_down([event], Deed.Kind.COMMENTED, by=by, at=at, text=words)
    record_change(event.organization_id, "events", at=at)
    return deed


def _locked(events: QuerySet[Event]) -> list[Event]:
    """Return the events' rows, held until the transaction ends; two people never both win."""
    plain = Event.objects.filter(pk__in=events.order_by().values("pk"))
    rows = plain.select_for_update().order_by("pk")
    return list(rows.only("organization_id", "acknowledged_at", "false_alarm_at")[:MAX_AT_ONCE])


def _write_down(
    rows: Collection[Event], kind: Deed.Kind, *, by: User, at: datetime, text: str = ""
) -> list[Deed]:
    return Deed.objects.bulk_create(
        Deed(
            organization_id=row.organization_id, event=row, kind=kind, by=by, done_at=at, text=text
        )
        for row in rows
    )


def _update(rows: Collection[Event], *, at: datetime, **fields: object) -> int:
    if not rows:
        return 0
    for organization_id in {row.organization_id for row in rows}:
        record_change(organization_id, "events", at=at)
    return Event.objects.filter(pk__in=[row.pk for row in rows]).update(**fields)
