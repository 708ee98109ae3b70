"""Batches as pages tell them: how far, how long yet, what came of them, in words."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from webapp.batches.models import Batch
from webapp.batches.queries import n_judged, time_left

_TONES: Final = {
    Batch.State.PREPARING: "info",
    Batch.State.RUNNING: "info",
    Batch.State.PAUSED: "warn",
    Batch.State.DONE: "ok",
    Batch.State.FAILED: "err",
    Batch.State.CANCELLED: "warn",
}
_CLASSES: Final = 20


@dataclass(frozen=True, slots=True)
class ClassBar:
    """How much of a class was found."""

    name: str
    n: int
    share: float
    """Of the most frequent one, 0..1."""


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One batch on a page."""

    batch: Batch
    tone: str
    n_done: int
    words: str
    left: timedelta | None
    may_steer: bool

    @property
    def has_bar(self) -> bool:
        return self.batch.state in {Batch.State.PREPARING, Batch.State.RUNNING, Batch.State.PAUSED}

    @property
    def may_pause(self) -> bool:
        return self.may_steer and self.batch.state == Batch.State.RUNNING

    @property
    def may_resume(self) -> bool:
        return self.may_steer and self.batch.state == Batch.State.PAUSED

    @property
    def may_cancel(self) -> bool:
        return self.may_steer and not self.batch.is_over

    @property
    def may_retry(self) -> bool:
        is_failed = self.batch.state == Batch.State.FAILED
        has_failures = self.batch.state == Batch.State.DONE and self.batch.n_failed > 0
        return self.may_steer and (is_failed or has_failures)


def batch_rows(
    batches: Iterable[Batch], *, steerable: Collection[UUID], at: datetime
) -> list[BatchRow]:
    """Return batches as they are shown to somebody who may steer some of them."""
    return [_row(batch, may_steer=batch.pk in steerable, at=at) for batch in batches]


def class_bars(batch: Batch) -> tuple[list[ClassBar], int]:
    """Return the most frequent classes, and how many others there are."""
    counted = sorted(batch.counts.items(), key=lambda pair: (-pair[1], pair[0]))
    most = counted[0][1] if counted else 1
    bars = [ClassBar(name, n, n / most) for name, n in counted[:_CLASSES]]
    return bars, len(counted) - len(bars)


def _row(batch: Batch, *, may_steer: bool, at: datetime) -> BatchRow:
    n_done = n_judged(batch)
    return BatchRow(
        batch=batch,
        tone=_TONES.get(Batch.State(batch.state), ""),
        n_done=n_done,
        words=_words(batch, n_done),
        left=time_left(batch, n_done=n_done, at=at),
        may_steer=may_steer,
    )


def _words(batch: Batch, n_done: int) -> str:
    match Batch.State(batch.state):
        case Batch.State.AWAITED:
            return "Its pictures are on their way."
        case Batch.State.PREPARING:
            return "Its pictures are being listed."
        case Batch.State.RUNNING | Batch.State.PAUSED:
            return f"{n_done:,} of {_counted(batch.n_items, 'picture')}{_failures(batch)}."
        case Batch.State.DONE:
            found = _counted(batch.n_found, "thing")
            return f"{_counted(batch.n_items, 'picture')}, {found} found{_failures(batch)}."
        case Batch.State.FAILED:
            return batch.error or "It could not go on."
        case Batch.State.CANCELLED:
            judged = f"{n_done:,} of {_counted(batch.n_items, 'picture')} were judged."
            return batch.error or (judged if batch.n_items else "Nothing was judged.")


def _failures(batch: Batch) -> str:
    return f", {batch.n_failed:,} could not be judged" if batch.n_failed else ""


def _counted(n: int, one: str) -> str:
    return f"{n:,} {one if n == 1 else f'{one}s'}"
