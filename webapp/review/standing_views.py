"""How good and how quick labelers are: everybody's figures for checkers, one's own for each."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import pluralize
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webapp.accounts.models import Role, User
from webapp.accounts.permissions import requires
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import page
from webapp.review.flagging import close_flag
from webapp.review.models import LabelerFlag
from webapp.review.queries import checkers_queues, labelers_queues
from webapp.review.reverting import count_revertible, revert_work
from webapp.review.standing import Day, Standing, class_agreement, standings

_SPAN: Final = timedelta(days=30)


class RevertForm(forms.Form):
    """Which work to take back."""

    since = forms.DateField(required=False)
    """Decided from that day (UTC) on; empty: all."""
    closes = forms.BooleanField(required=False)

    @property
    def instant(self) -> datetime | None:
        """Return since when."""
        day = self.cleaned_data["since"]
        return None if day is None else datetime.combine(day, time(), tzinfo=UTC)


@require_safe
@requires(Role.LABELER)
def labelers(request: HttpRequest) -> HttpResponse:
    """Show the last month's figures: a checker sees all labelers, everybody else themselves."""
    user, at = actor_of(request), now()
    checked = {queue.pk for queue in checkers_queues(user)}
    queues = [*checkers_queues(user), *labelers_queues(user).exclude(pk__in=checked)]
    mine = set(_flags(user).filter(closed_at=None).values_list("pk", flat=True))
    shown = []
    for queue in queues:
        people = standings(queue, since=at - _SPAN)
        may_see_all = queue.pk in checked
        shown.append(
            {
                "name": queue.name,
                "people": [
                    {"is": person, "may_act": person.flag in mine, "charts": _charts(person, at=at)}
                    for person in people
                    if may_see_all or person.labeler == user.pk
                ],
                "classes": class_agreement(queue) if may_see_all else [],
            }
        )
    return page(request, "review/labelers.html", {"queues": shown, "n_days": _SPAN.days})


@require_POST
@requires(Role.ADMIN)
def close(request: HttpRequest, flag_id: UUID) -> HttpResponse:
    """Say that a flag has been dealt with."""
    user = actor_of(request)
    flag = get_object_or_404(_flags(user), pk=flag_id)
    if close_flag(flag, by=user, at=now()):
        messages.success(request, f"The flag of {flag.labeler} is closed.")
    return redirect("review_labelers")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Role.ADMIN)
def revert(request: HttpRequest, flag_id: UUID) -> HttpResponse:
    """Say how many pictures would be taken back from a labeler, or take them back."""
    user, at = actor_of(request), now()
    flag = get_object_or_404(_flags(user), pk=flag_id)
    form = RevertForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        return page(request, "review/_revert.html", {"is_bad_day": True}, status=422)
    work: dict[str, Any] = {"queue": flag.queue, "labeler": flag.labeler, "since": form.instant}
    if request.method != "POST":
        return page(request, "review/_revert.html", {"would": count_revertible(**work)})
    done = revert_work(**work, by=user, at=at)
    if form.cleaned_data["closes"]:
        close_flag(flag, by=user, at=at)
    gone = f"{done.n_reverted} picture{pluralize(done.n_reverted)} of {flag.labeler}"
    kept = f"{done.n_kept} stay{pluralize(done.n_kept, 's,')}"
    messages.success(request, f"{gone} will be decided by others; {kept}.")
    return redirect("review_labelers")


def _flags(user: User) -> QuerySet[LabelerFlag]:
    flags = LabelerFlag.objects.for_actor(user, Role.ADMIN)
    return flags.select_related("labeler", "queue")


def _charts(person: Standing, *, at: datetime) -> dict[str, object]:
    """Return a person's days as columns, with every day of the span there."""
    first = (at - _SPAN).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    worked = {day.at: day for day in person.days}
    days = [first + timedelta(days=n) for n in range(_SPAN.days + 1)]

    def column(value: Callable[[Day], float | None]) -> Sequence[float | None]:
        return [value(worked[day]) if day in worked else None for day in days]

    return {
        "times": [day.timestamp() for day in days],
        "speed": {
            "values": column(lambda day: day.n_per_hour),
            "of": column(lambda day: day.n_decided),
        },
        "agreement": {
            "values": column(lambda day: day.agreement),
            "of": column(lambda day: day.n_compared),
        },
        "gold": {
            "values": column(lambda day: day.n_gold_right / day.n_gold if day.n_gold else None),
            "of": column(lambda day: day.n_gold),
        },
        "first": {
            "values": column(lambda day: day.n_accepted / day.n_checked if day.n_checked else None),
            "of": column(lambda day: day.n_checked),
        },
    }
