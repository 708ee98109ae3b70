"""Reads of how far each lane is."""

from collections.abc import Iterable
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import Max

from processing.wire.messages import LANES, Cursor, Lane
from webapp.results.models import IngestCursor, Result

RESULTS: Final[Lane] = "results"


class LaneKey(NamedTuple):
    """A numbered sequence of entries: one lane of one outbox."""

    agent_id: UUID
    epoch: int
    lane: Lane


def read_cursors(keys: Iterable[LaneKey]) -> dict[LaneKey, int]:
    """Return through which seq each lane is committed.

    A results lane without a cursor is as far as its table.
    """
    wanted = set(keys)
    cursors = dict.fromkeys(wanted, 0)
    known = IngestCursor.objects.filter(
        agent_id__in={key.agent_id for key in wanted}, epoch__in={key.epoch for key in wanted}
    )
    through = {(cursor.agent_id, cursor.epoch, cursor.lane): cursor.through_seq for cursor in known}
    for key in wanted:
        if key in through:
            cursors[key] = through[key]
        elif key.lane == RESULTS:
            stored = Result.objects.filter(agent_id=key.agent_id, epoch=key.epoch)
            cursors[key] = stored.aggregate(newest=Max("seq"))["newest"] or 0
    return cursors


def cursors_of_outbox(agent_id: UUID, epoch: int) -> tuple[Cursor, ...]:
    """Return where an agent goes on: one cursor a lane."""
    through = read_cursors(LaneKey(agent_id, epoch, lane) for lane in LANES)
    return tuple(
        Cursor(lane=key.lane, epoch=epoch, through_seq=seq)
        for key, seq in sorted(through.items(), key=lambda item: LANES.index(item[0].lane))
    )
