"""How good and how quick labelers are: everybody's figures for checkers, one's own for each."""

from datetime import timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from webapp.accounts.models import Role
from webapp.accounts.permissions import requires
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import page
from webapp.review.queries import checkers_queues, labelers_queues
from webapp.review.standing import class_agreement, standings

_SPAN: Final = timedelta(days=30)


@require_safe
@requires(Role.LABELER)
def labelers(request: HttpRequest) -> HttpResponse:
    """Show the last month's figures: a checker sees all labelers, everybody else themselves."""
    user, since = actor_of(request), now() - _SPAN
    checked = {queue.pk for queue in checkers_queues(user)}
    queues = [*checkers_queues(user), *labelers_queues(user).exclude(pk__in=checked)]
    shown = []
    for queue in queues:
        people = standings(queue, since=since)
        may_see_all = queue.pk in checked
        shown.append(
            {
                "name": queue.name,
                "people": people if may_see_all else [p for p in people if p.labeler == user.pk],
                "classes": class_agreement(queue) if may_see_all else [],
            }
        )
    return page(request, "review/labelers.html", {"queues": shown, "n_days": _SPAN.days})
