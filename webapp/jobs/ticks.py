"""One turn of periodic work, from its claim to its end; the Schedule row is the truth."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from webapp.jobs.backoff import pause_after
from webapp.jobs.interruptions import StopSign, Superseded, WorkerStops
from webapp.jobs.models import Schedule

STALE = timedelta(days=7)
"""A row that no worker has declared for so long belongs to work that is no more."""


@dataclass
class Tick:
    """What periodic work is given. It calls `step` often, and does no harm when called again."""

    kind: str
    number: int
    """Fencing token: the row's `turn` while this one is the newest."""
    at: datetime
    """When this turn began."""
    clock: Callable[[], datetime]
    stop_sign: StopSign

    def step(self, n_done: int = 0, n_total: int = 0) -> None:
        """Say how far it is, and whether it may go on; raise `Interrupted`."""
        if self.stop_sign.is_up:
            raise WorkerStops
        told = self.rows()
        is_mine = told.update(n_done=n_done, n_total=n_total) if n_total else told.exists()
        if not is_mine:
            raise Superseded

    def rows(self) -> QuerySet[Schedule]:
        """Return the schedule's row while this turn may write it, else nothing."""
        return Schedule.objects.filter(
            kind=self.kind, turn=self.number, lease_expires_at__isnull=False
        )


def declare(kind: str, *, title: str, period: timedelta, at: datetime) -> None:
    """Make sure that the schedule has this work; due at once when it is new."""
    wanted = {"title": title[:200], "every_s": period.total_seconds(), "declared_at": at}
    row, is_new = Schedule.objects.get_or_create(kind=kind, defaults={**wanted, "next_at": at})
    if not is_new:
        soonest = min(row.next_at, at + period)  # the period may have become shorter
        Schedule.objects.filter(kind=kind).update(**wanted, next_at=soonest)


def forget_stale(*, at: datetime) -> None:
    """Delete the rows of work that no worker knows any more."""
    Schedule.objects.filter(declared_at__lt=at - STALE).delete()


def claim(
    kind: str,
    *,
    lease: timedelta,
    clock: Callable[[], datetime],
    stop_sign: StopSign,
) -> Tick | None:
    """Take this work's turn; None when it is not due, or somebody else's."""
    at = clock()
    row = Schedule.objects.filter(kind=kind, next_at__lte=at).first()
    if row is None:
        return None
    mine = Schedule.objects.filter(kind=kind, turn=row.turn, next_at__lte=at)
    if row.lease_expires_at is not None:
        if row.lease_expires_at >= at:
            return None
        _mend(mine, row, at=at)
        return claim(kind, lease=lease, clock=clock, stop_sign=stop_sign)
    is_mine = mine.filter(lease_expires_at=None).update(
        turn=F("turn") + 1, started_at=at, lease_expires_at=at + lease, n_done=0, n_total=0
    )
    return Tick(kind, row.turn + 1, at, clock, stop_sign) if is_mine else None


def is_due(*, at: datetime) -> Q:
    """Return the condition under which a worker should look at a schedule's row."""
    is_free = Q(lease_expires_at=None) | Q(lease_expires_at__lt=at)
    return Q(next_at__lte=at) & is_free


def keep_tick(tick: Tick, *, lease: timedelta) -> None:
    """Say that the turn's worker is alive."""
    tick.rows().update(lease_expires_at=tick.clock() + lease)


def end_tick(tick: Tick, *, error: str = "") -> None:
    """Write that the turn is over and when the next is: on the beat, or sooner after a failure."""
    row = tick.rows().first()
    if row is None:
        return
    at, period = tick.clock(), timedelta(seconds=row.every_s)
    n_failures = row.n_failures + 1 if error else 0
    beat = row.next_at + period
    next_at = beat if beat > at else at + period
    if error:
        next_at = min(next_at, at + pause_after(n_failures))
    tick.rows().update(
        lease_expires_at=None,
        next_at=next_at,
        ended_at=at,
        took_s=(at - tick.at).total_seconds(),
        n_failures=n_failures,
        error=error[:2000],
    )


def release_tick(tick: Tick) -> None:
    """Let the next worker have this turn, at once."""
    tick.rows().update(lease_expires_at=None)


def _mend(mine: QuerySet[Schedule], row: Schedule, *, at: datetime) -> None:
    """Count a turn whose worker died as a failure, so that it cannot kill one after the other."""
    n_failures = row.n_failures + 1
    mine.filter(lease_expires_at=row.lease_expires_at).update(
        turn=F("turn") + 1,
        lease_expires_at=None,
        next_at=at + (timedelta() if n_failures == 1 else pause_after(n_failures)),
        n_failures=n_failures,
        error="Its worker stopped in the middle.",
    )
