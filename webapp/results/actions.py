"""Writes of what agents deliver: results, how far a lane is, and what will never come."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from processing.wire.limits import MAX_TEXT
from webapp.common.clock import now
from webapp.common.rows import write_rows
from webapp.fleet.models import Agent
from webapp.results.arrivals import NewResults
from webapp.results.bulk import insert_results
from webapp.results.folding import add_late
from webapp.results.minutes import in_minutes
from webapp.results.models import LostRange
from webapp.results.partitions import make_ahead
from webapp.results.queries import LaneKey

_MOVE: Final = (
    "INSERT INTO results_ingestcursor (agent_id, epoch, lane, through_seq) {rows}"
    " ON CONFLICT (agent_id, epoch, lane) DO UPDATE SET through_seq = excluded.through_seq"
)


def store_results(arrivals: list[NewResults]) -> None:
    """Store results and count them, inside the caller's transaction.

    All of them lie beyond their lane's cursor, which moves in the same transaction, so none is in
    the table; `IntegrityError` means that somebody wrote behind the writer's back.
    """
    insert_results(arrivals)
    minutes = in_minutes(arrivals)
    for counted, counts in minutes.items():
        counted.add("minute", counts)
    # By the clock, not by when they came: they may have waited for the database for hours.
    add_late(minutes, at=now())


def make_partitions(at: datetime) -> None:
    """Have a place for the results of yesterday, today and the week to come."""
    make_ahead(at)


def move_cursors(through: Mapping[LaneKey, int]) -> None:
    """Say through which seq each lane is committed, with what is committed."""
    write_rows(
        _MOVE,
        ("uuid", "int8", "text", "int8"),
        [(key.agent_id.hex, key.epoch, key.lane, seq) for key, seq in sorted(through.items())],
    )


@dataclass(frozen=True, slots=True)
class Loss:
    """Consecutive entries of a lane that will never come."""

    key: LaneKey
    first_seq: int
    last_seq: int
    reason: LostRange.Reason
    detail: str
    noticed_at: datetime


def record_losses(losses: Iterable[Loss], *, agents: Mapping[UUID, Agent]) -> None:
    """Make losses a fact in the data."""
    LostRange.objects.bulk_create(
        (
            LostRange(
                organization_id=agents[loss.key.agent_id].organization_id,
                agent_id=loss.key.agent_id,
                epoch=loss.key.epoch,
                lane=loss.key.lane,
                first_seq=loss.first_seq,
                last_seq=loss.last_seq,
                reason=loss.reason,
                detail=loss.detail[:MAX_TEXT],
                noticed_at=loss.noticed_at,
            )
            for loss in losses
        ),
        ignore_conflicts=True,
    )
