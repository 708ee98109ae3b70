"""Noticing a labeler who goes bad, soon and seldom by mistake.

Every judged verdict is a bet that the labeler errs more than is tolerated: stakes rise with each
error and fall with each right answer. A good labeler's stakes cannot be expected to rise, so
`STAKES_OF_A_FLAG` bounds how often one is flagged by mistake: on average at most once in so many
judged verdicts, whatever their errors look like otherwise; within `n` of them with a probability
of at most `n / STAKES_OF_A_FLAG`. What was well done long ago is no cushion, as stakes never fall
below one.

This is the e-detector of Shin, Ramdas and Rinaldo ("E-detectors: a nonparametric framework for
sequential change detection", New England Journal of Statistics in Data Science, 2024) in its
CUSUM form, with one bet of Waudby-Smith and Ramdas ("Estimating means of bounded random variables
by betting", JRSS B, 2024). For errors that are 0 or 1 it is Page's CUSUM (1954), and the bound is
Lorden's (1971).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import structlog

from webapp.accounts.models import User
from webapp.common.changes import record_change
from webapp.review.models import LabelerFlag, ReviewQueue, Verdict

STAKES_OF_A_FLAG: Final = 2000.0
"""Who is wrong in a fifth is flagged after about 45 judged verdicts, and nearly always by 200."""

BAD: Final = 4.0
"""The bet pays best against who errs so many times as often as is tolerated."""

WATCHED_FROM: Final = 1.5
"""Whose stakes are higher has erred lately; one whole error makes four of one."""

WATCHED_SHARE: Final = 0.5
"""Of what such a one is given, how much has a known answer, where a queue has any."""

_MOST_REPLAYED: Final = 1000
_MOST_LATELY: Final = 50

log = structlog.get_logger(__name__)


def stakes(errors: Iterable[float], *, tolerated: float) -> float:
    """Return what betting on `errors` (each 0..1, oldest first) has come to; 1 to begin with."""
    bet = (BAD - 1.0) / (1.0 - tolerated)
    now = 1.0
    for error in errors:
        now = max(now, 1.0) * (1.0 + bet * (error - tolerated))
    return max(now, 1.0)


def watched_share(share: float, stakes_now: float) -> float:
    """Return how much of what somebody is given is to have a known answer, if `share` is usual.

    The bet stays fair: only what was judged before says what is judged next.
    """
    is_watched = share > 0.0 and stakes_now >= WATCHED_FROM
    return max(share, WATCHED_SHARE) if is_watched else share


def most_gold(queue: ReviewQueue) -> float:
    """Return how much of what anybody is given has a known answer at most."""
    return watched_share(queue.gold_share, WATCHED_FROM)


def gold_share_of(queue: ReviewQueue, labeler: User) -> float:
    """Return how much of what a labeler is given now is to have a known answer."""
    lately = judged_since_cleared(queue, labeler, most=_MOST_LATELY)
    return watched_share(queue.gold_share, stakes(lately, tolerated=queue.tolerated_error))


def judged_since_cleared(
    queue: ReviewQueue, labeler: User, *, most: int = _MOST_REPLAYED
) -> list[float]:
    """Return the errors of a labeler's newest judged verdicts, oldest first, since their last flag.

    With `most`, what is bet on them comes to no more than on all.
    """
    judged = Verdict.objects.filter(
        by=labeler, item__queue=queue, judged_at__isnull=False, error__isnull=False
    )
    cleared = LabelerFlag.objects.filter(queue=queue, labeler=labeler, closed_at__isnull=False)
    if last := cleared.order_by("-closed_at").first():
        judged = judged.filter(judged_at__gt=last.closed_at)
    newest = judged.order_by("-judged_at", "-id").values_list("error", flat=True)[:most]
    return [error for error in reversed(newest) if error is not None]


def flag_if_bad(verdict: Verdict, *, at: datetime) -> LabelerFlag | None:
    """Flag the labeler of a verdict that was just judged wrong, if their stakes have come so far.

    Once a flag is open nothing more is said until it is closed.
    """
    queue, labeler = verdict.item.queue, verdict.by
    if labeler is None or not verdict.error:
        return None
    errors = judged_since_cleared(queue, labeler)
    if stakes(errors, tolerated=queue.tolerated_error) < STAKES_OF_A_FLAG:
        return None
    flag, is_new = LabelerFlag.objects.get_or_create(
        queue=queue,
        labeler=labeler,
        closed_at=None,
        defaults={
            "organization_id": queue.organization_id,
            "raised_at": at,
            "n_judged": len(errors),
            "mean_error": sum(errors) / len(errors),
        },
    )
    if is_new:
        record_change(queue.organization_id, "review", at=at)
        log.warning("review.flagged", queue=str(queue.pk), labeler=str(labeler.pk))
    return flag


def close_flag(flag: LabelerFlag, *, by: User, at: datetime) -> bool:
    """Say that a flag has been dealt with; return whether it was open."""
    n = LabelerFlag.objects.filter(pk=flag.pk, closed_at=None).update(closed_at=at, closed_by=by)
    return bool(n)
