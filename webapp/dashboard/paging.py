"""Events page by page, by key: the hundredth page costs what the first does."""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self
from uuid import UUID

from django.db.models import Q, QuerySet

from webapp.events.models import Event

PAGE_SIZE: Final = 50
_MAX_LENGTH: Final = 200


class BadCursor(ValueError):
    """This is no place that a page of ours named."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last event of a page: when it occurred and its key."""

    occurred_at: datetime
    event_id: UUID

    def __str__(self) -> str:
        text = f"{self.occurred_at.isoformat()} {self.event_id}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote; raise `BadCursor` for anything else."""
        if len(text) > _MAX_LENGTH:
            raise BadCursor("too long")
        try:
            padded = text + "=" * (-len(text) % 4)
            occurred_at, event_id = base64.urlsafe_b64decode(padded).decode().split(" ")
            parsed = cls(datetime.fromisoformat(occurred_at), UUID(event_id))
        except (ValueError, binascii.Error) as error:
            raise BadCursor("not a cursor") from error
        if parsed.occurred_at.tzinfo is None:
            raise BadCursor("an instant without a zone")
        return parsed


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events, and where the next ones begin."""

    events: tuple[Event, ...]
    next: Cursor | None


def page_of(events: QuerySet[Event], *, after: Cursor | None) -> EventPage:
    """Return the page that follows `after`; `events` are ordered newest first."""
    if after is not None:
        events = events.filter(
            Q(occurred_at__lt=after.occurred_at)
            | Q(occurred_at=after.occurred_at, pk__lt=after.event_id)
        )
    found = list(events[: PAGE_SIZE + 1])
    shown = tuple(found[:PAGE_SIZE])
    if len(found) <= PAGE_SIZE:
        return EventPage(shown, None)
    return EventPage(shown, Cursor(shown[-1].occurred_at, shown[-1].pk))
