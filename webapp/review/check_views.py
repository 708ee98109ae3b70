"""The checkers' pages: what labelers disagree about, and what waits for a second look."""

from dataclasses import replace
from uuid import UUID

import msgspec
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from msgspec import Struct

from webapp.accounts.models import Role, User
from webapp.accounts.permissions import requires
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import page
from webapp.review.boxes import Box
from webapp.review.check_requests import CheckRequest, decide_check
from webapp.review.checking import check_for_page, claim_check, items_to_check
from webapp.review.exchange import answers_json, json_answer, read_json
from webapp.review.models import Check, ReviewItem, Verdict
from webapp.review.queries import ItemForEditor, checkers_queues, item_for_editor, work_of


class WorkShown(Struct, frozen=True, kw_only=True):
    """What one labeler left in a picture."""

    by: str
    outcome: str
    boxes: tuple[Box, ...]
    classes: tuple[str, ...]


class CheckShown(Struct, frozen=True, kw_only=True):
    """All that the checker's page begins with."""

    item: ItemForEditor
    works: tuple[WorkShown, ...]


class Next(Struct, frozen=True):
    """Where the checker goes on."""

    url: str


@require_POST
@requires(Role.LABELER)
def check_next(request: HttpRequest) -> HttpResponse:
    """Claim what waits for a check, and go to its page."""
    return redirect(_next_url(request, actor_of(request)))


@require_safe
@requires(Role.LABELER)
def check_item(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """Show what each labeler left in a picture, side by side, with the picture to settle it."""
    user, at = actor_of(request), now()
    item = _item(user, item_id)
    if item.state not in {ReviewItem.State.DISPUTED, ReviewItem.State.CHECKING}:
        messages.info(request, "This picture does not wait for a check any more.")
        return redirect("review")
    shown = check_for_page(item, by=user, at=at)
    begun = replace(
        item_for_editor(item, by=user, at=at),
        state=ReviewItem.State.OPEN.value,
        decided=None,
        boxes=shown.begin.boxes,
        classes=sorted(shown.begin.classes),
    )
    first = CheckShown(item=begun, works=tuple(map(_work_shown, shown.works)))
    context = {
        "item": begun,
        "first": msgspec.to_builtins(first),
        "is_disputed": item.state == ReviewItem.State.DISPUTED,
        "reasons": Check.Reason.choices,
        "n_waiting": n_to_check(user),
    }
    return page(request, "review/check.html", context)


@require_POST
@requires(Role.LABELER)
@answers_json
def decide(request: HttpRequest, item_id: UUID) -> HttpResponseBase:
    """Accept, settle or send back; answer with where to go on."""
    user = actor_of(request)
    item = _item(user, item_id)
    wish: CheckRequest = read_json(request, CheckRequest)
    decide_check(item, wish, by=user, at=now())
    return json_answer(Next(_next_url(request, user)))


def n_to_check(user: User) -> int:
    """Return how many pictures wait for this user's check."""
    at = now()
    queues = checkers_queues(user)
    return sum(items_to_check(queue, by=user, at=at).count() for queue in queues)


def _item(user: User, item_id: UUID) -> ReviewItem:
    items = ReviewItem.objects.for_actor(user, Role.LABELER)
    return get_object_or_404(
        items.select_related("queue", "sample__bundle", "sample__camera"), pk=item_id
    )


def _next_url(request: HttpRequest, user: User) -> str:
    for queue in checkers_queues(user):
        if item := claim_check(queue=queue, by=user, at=now()):
            return reverse("review_check_item", args=[item.pk])
    messages.info(request, "Nothing waits for a check.")
    return reverse("review")


def _work_shown(verdict: Verdict) -> WorkShown:
    work, by = work_of(verdict), verdict.by
    return WorkShown(
        by=(by.get_full_name() or by.get_username()) if by else "somebody who left",
        outcome=verdict.get_outcome_display(),
        boxes=tuple(work.boxes),
        classes=tuple(sorted(work.classes)),
    )
