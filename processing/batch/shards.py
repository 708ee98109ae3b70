"""Executing one shard: which of its pictures are judged now, what came of them, and the sums."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from processing.batch.pool import Unread
from processing.wire.batch import PictureOutcome
from processing.wire.packed import count_labels


class Judges(Protocol):
    """Judges pictures in order: `LocalPool` does, and whatever hands them to other machines."""

    def judge(
        self, pictures: Iterable[bytes | Unread], *, min_score: float
    ) -> Iterator[PictureOutcome]:
        """Yield what came of each picture, in their order."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What a shard adds to its batch."""

    n_done: int
    n_failed: int
    n_found: int
    counts: dict[int, int]
    """Detections by label, as the bundle numbers them."""


def run_shard(
    pictures: Iterable[bytes | Unread],
    judges: Judges,
    *,
    min_score: float,
    known: Sequence[PictureOutcome] = (),
) -> Iterator[PictureOutcome]:
    """Yield what came of every picture of a shard, in their order.

    With `known` outcomes, those that were judged stay, and `pictures` are only the ones that
    failed.
    """
    fresh = judges.judge(pictures, min_score=min_score)
    if not known:
        yield from fresh
        return
    for outcome in known:
        yield next(fresh) if outcome.error else outcome


def sum_up(outcomes: Iterable[PictureOutcome]) -> Sums:
    """Return the sums of a shard."""
    n_done, n_failed = 0, 0
    counts: Counter[int] = Counter()
    for outcome in outcomes:
        n_done += 1
        n_failed += bool(outcome.error)
        counts.update(count_labels(outcome.found))
    return Sums(n_done, n_failed, counts.total(), dict(counts))
