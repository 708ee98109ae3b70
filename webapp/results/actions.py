"""Writes of what agents deliver: results, how far a lane is, and what will never come."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from processing.wire.limits import MAX_TEXT
from webapp.fleet.models import Agent
from webapp.results.bulk import NewResults, fold_into_minutes, insert_results
from webapp.results.models import IngestCursor, LostRange
from webapp.results.queries import LaneKey


@transaction.atomic
def store_results(arrivals: list[NewResults]) -> None:
    """Store results and count them.

    All of them lie beyond their lane's cursor, which moves in the same transaction, so none is in
    the table: one that is means that somebody wrote behind the writer's back.
    """
    n_expected = sum(len(arrived.results) for arrived in arrivals)
    if (n_new := insert_results(arrivals)) != n_expected:
        raise IntegrityError(f"{n_expected - n_new} results beyond their cursor are there already")
    fold_into_minutes(arrivals)


def move_cursors(through: Mapping[LaneKey, int]) -> None:
    """Say through which seq each lane is committed, with what is committed."""
    IngestCursor.objects.bulk_create(
        (
            IngestCursor(agent_id=key.agent_id, epoch=key.epoch, lane=key.lane, through_seq=seq)
            for key, seq in sorted(through.items())
        ),
        update_conflicts=True,
        unique_fields=("agent", "epoch", "lane"),
        update_fields=("through_seq",),
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
