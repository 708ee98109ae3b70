"""How good and how quick each labeler of a queue is, and how far they agree."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations, groupby
from math import sqrt
from statistics import fmean, median
from typing import Final, NamedTuple
from uuid import UUID

from webapp.accounts.models import User
from webapp.review.agreement import ClassAgreement, Work, by_class
from webapp.review.models import Check, LabelerFlag, ReviewItem, ReviewQueue, Verdict
from webapp.review.offers import deciding
from webapp.review.queries import work_of

_MOST_VERDICTS: Final = 20_000
_MOST_COMPARED: Final = 1_000
"""Verdicts of items with several labelers, the newest: each is matched box by box."""


@dataclass(frozen=True)
class Share:
    """So many of so many, with the interval that a share so measured lies in (95 %, Wilson)."""

    n: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """Return it, 0..1; None of nothing."""
        return self.n / self.of if self.of else None


@dataclass(frozen=True)
class Day:
    """One labeler's work of a day (UTC). Means are None where there is nothing to take them of."""

    at: datetime
    n_decided: int
    n_per_hour: float | None
    agreement: float | None
    n_compared: int
    n_gold_right: int
    n_gold: int
    n_accepted: int
    """Checked items that were accepted the first time."""
    n_checked: int


@dataclass(frozen=True)
class Standing:
    """One labeler's work in a queue. Means are None where there is nothing to take them of."""

    labeler: UUID
    name: str
    n_decided: int
    active_s: float
    """At work on items, as the hub saw signs of life."""
    median_s: float | None
    """An item."""
    n_per_hour: float | None
    agreement: float | None
    """How far other labelers of the same items agree, 0..1."""
    n_compared: int
    gold: Share
    """Known answers that were given without any mistake."""
    first_pass: Share
    """Checked items that were accepted the first time."""
    n_judged: int
    mean_error: float | None
    """How much proved wrong of what was judged, 0..1."""
    flag: UUID | None
    """The open one; see `flagging`."""
    flagged_at: datetime | None
    days: Sequence[Day]
    """Those on which something was decided, oldest first."""


class _Row(NamedTuple):
    labeler: UUID
    item: UUID
    created_at: datetime
    seconds: float | None
    is_gold: bool
    agreement: float | None
    error: float | None
    check: str | None


def standings(queue: ReviewQueue, *, since: datetime) -> list[Standing]:
    """Return the standing of everybody who decided something since then, the busiest first."""
    rows = defaultdict[UUID, list[_Row]](list)
    for row in _rows(queue, since=since):
        rows[row.labeler].append(row)
    people = User.objects.in_bulk(rows)
    flags = LabelerFlag.objects.filter(queue=queue, closed_at=None)
    flagged = {flag.labeler_id: flag for flag in flags}
    found = [_standing(user, rows[user.pk], flagged.get(user.pk)) for user in people.values()]
    return sorted(found, key=lambda each: (-each.n_decided, each.name))


def class_agreement(queue: ReviewQueue) -> list[ClassAgreement]:
    """Return how far labelers agreed lately about each class, whoever they were."""
    pairs = (pair for works in _works_of_items(queue) for pair in combinations(works, 2))
    return by_class(pairs, iou=queue.agreement_iou)


def wilson(n: int, of: int) -> Share:
    """Return `n` of `of` with its 95 % interval: E. B. Wilson, JASA 22 (1927)."""
    if not of:
        return Share(0, 0, 0.0, 1.0)
    z, share = 1.96, n / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return Share(n, of, max(0.0, middle - half), min(1.0, middle + half))


def _rows(queue: ReviewQueue, *, since: datetime) -> list[_Row]:
    verdicts = (
        Verdict.objects.filter(item__queue=queue, by__isnull=False, created_at__gte=since)
        .exclude(outcome=Verdict.Outcome.PASSED)
        .exclude(undone_as=Verdict.Undone.TAKEN_BACK)
        .order_by("-created_at", "-id")
        .values_list(
            "by",
            "item",
            "created_at",
            "seconds",
            "is_gold",
            "agreement",
            "error",
            "check_of_it__decision",
        )[:_MOST_VERDICTS]
    )
    return [_Row(*row) for row in reversed(verdicts)]


def _standing(user: User, rows: Sequence[_Row], flag: LabelerFlag | None) -> Standing:
    times = [row.seconds for row in rows if row.seconds is not None]
    errors = [row.error for row in rows if row.error is not None]
    peers, gold = _agreements(rows), _gold(rows)
    first = {row.item: row for row in reversed(rows)}  # of each item the oldest stays
    passes = _passes(first.values())
    return Standing(
        labeler=user.pk,
        name=user.get_full_name() or user.get_username(),
        n_decided=len(rows),
        active_s=sum(times),
        median_s=median(times) if times else None,
        n_per_hour=_per_hour(times),
        agreement=fmean(peers) if peers else None,
        n_compared=len(peers),
        gold=wilson(sum(gold), len(gold)),
        first_pass=wilson(sum(passes), len(passes)),
        n_judged=len(errors),
        mean_error=fmean(errors) if errors else None,
        flag=None if flag is None else flag.pk,
        flagged_at=None if flag is None else flag.raised_at,
        days=[_day(at, [*same], first=first) for at, same in groupby(rows, key=_day_of)],
    )


def _day(at: datetime, rows: Sequence[_Row], *, first: Mapping[UUID, _Row]) -> Day:
    peers, gold = _agreements(rows), _gold(rows)
    passes = _passes(row for row in rows if first[row.item] is row)
    return Day(
        at=at,
        n_decided=len(rows),
        n_per_hour=_per_hour([row.seconds for row in rows if row.seconds is not None]),
        agreement=fmean(peers) if peers else None,
        n_compared=len(peers),
        n_gold_right=sum(gold),
        n_gold=len(gold),
        n_accepted=sum(passes),
        n_checked=len(passes),
    )


def _day_of(row: _Row) -> datetime:
    return row.created_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _per_hour(times: Sequence[float]) -> float | None:
    return 3600 * len(times) / sum(times) if sum(times) else None


def _agreements(rows: Sequence[_Row]) -> list[float]:
    return [row.agreement for row in rows if row.agreement is not None]


def _gold(rows: Sequence[_Row]) -> list[bool]:
    return [row.error == 0.0 for row in rows if row.is_gold and row.error is not None]


def _passes(rows: Iterable[_Row]) -> list[bool]:
    return [row.check == Check.Decision.ACCEPTED for row in rows if row.check is not None]


def _works_of_items(queue: ReviewQueue) -> Iterator[list[Work]]:
    verdicts = (
        Verdict.objects.filter(deciding(), item__queue=queue, item__n_labelers__gt=1)
        .exclude(item__state=ReviewItem.State.OPEN)
        .select_related("annotation")
        .order_by("-item", "-id")[:_MOST_COMPARED]
    )
    for _, same in groupby(verdicts, key=lambda verdict: verdict.item_id):
        yield [work_of(verdict) for verdict in same]
