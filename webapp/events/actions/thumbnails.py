"""Pictures of events, many at a time, inside the writer's transaction: the best one stays."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from django.db import transaction

from processing.wire import messages
from webapp.common.changes import record_change
from webapp.events.models import Event, Thumbnail
from webapp.fleet.models import Agent
from webapp.media.actions import NewFile, drop_unused, put_blobs

Key: TypeAlias = tuple[UUID, UUID]
"""Agent and event."""


@dataclass(frozen=True, slots=True)
class Pictured:
    """A picture of an event, in an agent's media lane; it is a JPEG."""

    agent: Agent
    thumbnail: messages.Thumbnail
    received_at: datetime

    @property
    def key(self) -> Key:
        return self.agent.id, self.thumbnail.event_id

    @property
    def rank(self) -> tuple[float, datetime, str]:
        """Return what decides between two of one event: the score, then the later one."""
        thumbnail = self.thumbnail
        return thumbnail.score, thumbnail.captured_at, hashlib.sha256(thumbnail.jpeg).hexdigest()


@transaction.atomic
def record_thumbnails(arrivals: Iterable[Pictured]) -> None:
    """Keep the best picture of each event, whether the event itself is known yet or not."""
    best: dict[Key, Pictured] = {}
    for each in arrivals:
        other = best.get(each.key)
        if other is None or each.rank > other.rank:
            best[each.key] = each
    kept = _kept(best)
    better = {
        key: each
        for key, each in best.items()
        if key not in kept or each.rank > _rank_of_row(kept[key])
    }
    if not better:
        return
    replaced = [kept[key].blob_id for key in better if key in kept]
    rows = _rows(better, kept)
    Thumbnail.objects.bulk_create(row for key, row in rows.items() if key not in kept)
    Thumbnail.objects.bulk_update(
        [row for key, row in rows.items() if key in kept],
        ("blob", "score", "captured_at", "width", "height"),
    )
    _show(rows)
    for organization_id, at in {
        each.agent.organization_id: each.received_at for each in better.values()
    }.items():
        record_change(organization_id, "events", at=at)
    if replaced:
        transaction.on_commit(lambda: drop_unused(replaced), robust=True)


def _kept(best: Mapping[Key, Pictured]) -> dict[Key, Thumbnail]:
    found = Thumbnail.objects.select_related("blob").filter(
        agent__in={agent_id for agent_id, _ in best}, event_id__in={event for _, event in best}
    )
    rows = {(row.agent_id, row.event_id): row for row in found}
    return {key: rows[key] for key in best.keys() & rows.keys()}


def _rank_of_row(row: Thumbnail) -> tuple[float, datetime, str]:
    return row.score, row.captured_at, row.blob.sha256


def _rows(better: Mapping[Key, Pictured], kept: Mapping[Key, Thumbnail]) -> dict[Key, Thumbnail]:
    """Return the rows as they are to be written; their files are in the store."""
    blobs = put_blobs(
        [
            NewFile(each.thumbnail.jpeg, "image/jpeg", each.agent.organization_id, each.received_at)
            for each in better.values()
        ]
    )
    rows = dict[Key, Thumbnail]()
    for (key, each), blob in zip(better.items(), blobs, strict=True):
        row = kept.get(key) or Thumbnail(
            organization_id=each.agent.organization_id,
            agent=each.agent,
            event_id=each.thumbnail.event_id,
        )
        row.blob, row.score = blob, each.thumbnail.score
        row.captured_at = each.thumbnail.captured_at
        row.width, row.height = each.thumbnail.width, each.thumbnail.height
        rows[key] = row
    return rows


def _show(rows: Mapping[Key, Thumbnail]) -> None:
    """Give the pictures to those of their events that are known and have none."""
    bare = Event.objects.filter(
        agent__in={agent_id for agent_id, _ in rows},
        event_id__in={event for _, event in rows},
        thumbnail=None,
    ).only("agent_id", "event_id")
    shown = list[Event]()
    for event in bare:
        thumbnail = rows.get((event.agent_id, event.event_id))  # type: ignore[arg-type]  # asked for by both
        if thumbnail is not None:
            event.thumbnail = thumbnail
            shown.append(event)
    Event.objects.bulk_update(shown, ("thumbnail",))
