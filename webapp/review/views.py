"""The labelers' pages about their queues: how the work stands, and what waits."""

from datetime import datetime
from math import ceil

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from webapp.accounts.models import Role
from webapp.accounts.permissions import requires
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import page
from webapp.review.check_views import n_to_check
from webapp.review.outlook import Outlook, has_work, outlook
from webapp.review.policy_words import queue_in_words
from webapp.review.queries import labelers_queues, open_items, queue_status, recent_verdicts

_LOOK_AGAIN_S = 300


@require_safe
@requires(Role.LABELER)
def review(request: HttpRequest) -> HttpResponse:
    """Show how the work stands, the way in, and what one decided last."""
    user, at = actor_of(request), now()
    queues = list(labelers_queues(user))
    expected = None if has_work(user, at=at) else outlook(user, at=at)
    context = {
        "status": queue_status(queues, by=user, at=at),
        "recent": recent_verdicts(queues, by=user),
        "outlook": expected,
        "wait_s": expected and _wait_s(expected, at=at),
        "n_to_check": n_to_check(user),
        "in_words": [queue_in_words(queue) for queue in queues],
    }
    return page(request, "review/queue.html", context, part="review/_queue.html")


@require_safe
@requires(Role.LABELER)
def no_work(request: HttpRequest) -> HttpResponse:
    """Say why there is nothing to do, and when there is more: for the editor."""
    at = now()
    expected = outlook(actor_of(request), at=at)
    context = {"outlook": expected, "wait_s": _wait_s(expected, at=at)}
    return page(request, "review/_no_work.html", context)


@require_safe
@requires(Role.LABELER)
def waiting(request: HttpRequest) -> HttpResponse:
    """Answer with how many items wait, for the navigation; nothing when none does."""
    user = actor_of(request)
    n_open = open_items(list(labelers_queues(user)), by=user).count()
    return HttpResponse(f"{n_open}" if n_open else "", headers={"Cache-Control": "no-store"})


def _wait_s(expected: Outlook, *, at: datetime) -> int:
    """Return after how many seconds to look again, though nothing was heard."""
    if expected.next_at is None:
        return _LOOK_AGAIN_S
    return max(1, ceil((expected.next_at - at).total_seconds()))
