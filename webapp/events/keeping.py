"""How long events are kept, with their words, thumbnails and clips."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from webapp.common.keeping import keeps, rows_kept
from webapp.events.models import Clip, Deed, Event, Thumbnail, Word
from webapp.media.actions import drop_unused
from webapp.media.models import Blob


def _old_events(before: datetime) -> Iterator[QuerySet[Event]]:
    """Yield events that are over, and were over by then."""
    old = Event.objects.filter(occurred_at__lt=before).exclude(state=Event.State.RUNNING)
    yield old.filter(Q(ended_at=None) | Q(ended_at__lt=before))


def _forget_events(events: QuerySet[Any]) -> None:
    pictures = Thumbnail.objects.filter(
        Exists(events.filter(agent=OuterRef("agent"), event_id=OuterRef("event_id")))
    )
    clips = Clip.objects.filter(event__in=events, blob__isnull=False)
    blobs = {*pictures.values_list("blob_id", flat=True), *clips.values_list("blob_id", flat=True)}
    pictures.delete()
    events.delete()
    drop_unused(blobs)


def _old_strays(before: datetime) -> Iterator[QuerySet[Thumbnail]]:
    """Yield thumbnails of events that never came."""
    theirs = Event.objects.filter(agent=OuterRef("agent"), event_id=OuterRef("event_id"))
    yield Thumbnail.objects.filter(~Exists(theirs), captured_at__lt=before)


def _forget_strays(thumbnails: QuerySet[Any]) -> None:
    blobs = set(thumbnails.values_list("blob", flat=True))
    thumbnails.delete()
    drop_unused(blobs)


def _n_file_bytes() -> int:
    pictures = Thumbnail.objects.values("blob")
    clips = Clip.objects.filter(blob__isnull=False).values("blob")
    used = Blob.objects.filter(Q(pk__in=pictures) | Q(pk__in=clips))
    total = used.aggregate(n_bytes=Sum("size"))["n_bytes"]
    return int(total or 0)


keeps(
    rows_kept(
        "events", "Events with their words, thumbnails and clips", (Event, Word, Deed, Clip),
        _old_events, _n_file_bytes, delete=_forget_events,
    )
)  # fmt: skip
keeps(
    rows_kept(
        "thumbnails", "Thumbnails whose event never came", (Thumbnail,),
        _old_strays, delete=_forget_strays,
    )
)  # fmt: skip
