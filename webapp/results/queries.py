"""Reads of how far each lane is, and the table behind the cameras."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import F, OuterRef, Subquery

from processing.wire.messages import LANES, Cursor, Lane
from webapp.accounts.models import Organization
from webapp.results.models import IngestCursor, Result


class LaneKey(NamedTuple):
    """A numbered sequence of entries: one lane of one outbox."""

    agent_id: UUID
    epoch: int
    lane: Lane


def read_cursors(keys: Iterable[LaneKey]) -> dict[LaneKey, int]:
    """Return through which seq each lane is committed."""
    wanted = set(keys)
    rows = IngestCursor.objects.filter(
        agent_id__in={key.agent_id for key in wanted}, epoch__in={key.epoch for key in wanted}
    ).values_list("agent_id", "epoch", "lane", "through_seq")
    through = {(agent_id, epoch, lane): seq for agent_id, epoch, lane, seq in rows}
    return {key: through.get(key, 0) for key in wanted}


def cursors_of_outboxes(epochs: Mapping[UUID, int]) -> dict[UUID, tuple[Cursor, ...]]:
    """Return where agents go on with their outboxes of these epochs: one cursor a lane."""
    through = read_cursors(
        LaneKey(agent_id, epoch, lane) for agent_id, epoch in epochs.items() for lane in LANES
    )
    return {
        agent_id: tuple(
            Cursor(lane=lane, epoch=epoch, through_seq=through[LaneKey(agent_id, epoch, lane)])
            for lane in LANES
        )
        for agent_id, epoch in epochs.items()
    }


class Newest(NamedTuple):
    """The result that was captured last, of all that are stored."""

    captured_at: datetime
    received_at: datetime


def newest_result() -> Newest | None:
    """Return the newest result of the whole hub: a probe of an index for each organization."""
    results = Result.objects.filter(organization=OuterRef("pk")).order_by("-captured_at")
    newest = (
        Organization.objects.annotate(
            captured_at=Subquery(results.values("captured_at")[:1]),
            received_at=Subquery(results.values("received_at")[:1]),
        )
        .order_by(F("captured_at").desc(nulls_last=True))
        .values_list("captured_at", "received_at")
        .first()
    )
    return Newest(*newest) if newest is not None and newest[0] is not None else None
