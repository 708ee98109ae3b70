"""The labelers' pages: the queue, the editor, and what the editor asks of the hub."""

from datetime import datetime
from http import HTTPStatus
from math import ceil
from uuid import UUID

import msgspec
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.models import Role, User
from webapp.accounts.permissions import requires
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import page
from webapp.review.actions import (
    ItemMoved,
    claim_next,
    prepare_next,
    release_item,
    renew_lease,
    skip_item,
    start_item,
    submit_verdict,
    undo_last,
    undo_verdict,
)
from webapp.review.check_views import n_to_check
from webapp.review.exchange import (
    Answer,
    NextRequest,
    SaveRequest,
    SkipRequest,
    answers_json,
    json_answer,
    read_json,
)
from webapp.review.gold import GoldFeedback, feedback
from webapp.review.keys import KeysRequest, keep_keys, keys_of
from webapp.review.models import ReviewItem, Verdict
from webapp.review.outlook import Outlook, has_work, outlook
from webapp.review.queries import (
    item_for_editor,
    labelers_queues,
    queue_status,
    recent_verdicts,
)

_NO_WORK = "There is nothing to review right now."
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
    n_open = queue_status(list(labelers_queues(user)), by=user, at=now()).n_open
    return HttpResponse(f"{n_open}" if n_open else "", headers={"Cache-Control": "no-store"})


@require_safe
@requires(Role.LABELER)
def review_item(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """Show one item in the editor; looking does not claim it, the editor does once it is there."""
    user, at = actor_of(request), now()
    item = item_for_editor(_item(user, item_id), by=user, at=at)
    status = queue_status(list(labelers_queues(user)), by=user, at=at)
    if request.accepts("text/html"):
        first = msgspec.to_builtins(Answer(item=item, status=status))
        context = {"item": item, "first": first, "keys": keys_of(user)}
        return page(request, "review/item.html", context)
    return json_answer(Answer(item=item, status=status))


@require_POST
@requires(Role.LABELER)
@answers_json
def claim(request: HttpRequest) -> HttpResponseBase:
    """Claim the next item: a form goes to its page; JSON has it prepared behind those in hand."""
    user, at = actor_of(request), now()
    if _wants_json(request):
        besides = read_json(request, NextRequest).besides
        return _answer(user, _prepare(user, besides))
    for queue in labelers_queues(user):
        if item := claim_next(queue=queue, by=user, at=at):
            return redirect("review_item", item.pk)
    messages.info(request, _NO_WORK)
    return redirect("review")


@require_POST
@requires(Role.LABELER)
@answers_json
def start(request: HttpRequest, item_id: UUID) -> HttpResponseBase:
    """Say that the item is on the screen: from now on it is this labeler's."""
    user = actor_of(request)
    start_item(item=_item(user, item_id), by=user, at=now())
    return _answer(user)


@require_POST
@requires(Role.LABELER)
@answers_json
def submit(request: HttpRequest, item_id: UUID) -> HttpResponseBase:
    """Save the boxes as the truth about the picture."""
    user = actor_of(request)
    item, wish = _item(user, item_id), read_json(request, SaveRequest)
    verdict = submit_verdict(
        item=item,
        by=user,
        revision=wish.revision,
        boxes=wish.boxes,
        classes=wish.classes,
        findings=wish.findings,
        at=now(),
    )
    return _answer(user, gold=feedback(verdict))


@require_POST
@requires(Role.LABELER)
@answers_json
def skip(request: HttpRequest, item_id: UUID) -> HttpResponseBase:
    """Leave the picture to somebody else, or say that nobody can tell."""
    user = actor_of(request)
    item, wish = _item(user, item_id), read_json(request, SkipRequest)
    skip_item(item=item, by=user, revision=wish.revision, skip_as=wish.skip_as, at=now())
    return _answer(user)


@require_POST
@requires(Role.LABELER)
@answers_json
def renew(request: HttpRequest, item_id: UUID) -> HttpResponseBase:
    """Keep the item a little longer."""
    user = actor_of(request)
    renew_lease(item=_item(user, item_id), by=user, at=now())
    return _answer(user)


@require_POST
@requires(Role.LABELER)
def release(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """Give the item back; browsers send this while they leave the page."""
    user = actor_of(request)
    release_item(item=_item(user, item_id), by=user, at=now())
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


@require_POST
@requires(Role.LABELER)
@answers_json
def undo(request: HttpRequest) -> HttpResponseBase:
    """Take back this labeler's last verdict and answer with its item."""
    user, at = actor_of(request), now()
    return _answer(user, undo_last(queues=list(labelers_queues(user)), by=user, at=at))


@require_POST
@requires(Role.LABELER)
@answers_json
def undo_one(request: HttpRequest, verdict_id: UUID) -> HttpResponseBase:
    """Take back one verdict of this labeler's: a form goes to its item, JSON has it."""
    user = actor_of(request)
    own = Verdict.objects.for_actor(user, Role.LABELER).filter(by=user).select_related("item")
    verdict = get_object_or_404(own, pk=verdict_id)
    if _wants_json(request):
        return _answer(user, undo_verdict(verdict=verdict, by=user, at=now()))
    try:
        item = undo_verdict(verdict=verdict, by=user, at=now())
    except ItemMoved as moved:
        messages.warning(request, str(moved))
        return redirect("review")
    return redirect("review_item", item.pk)


@require_POST
@requires(Role.LABELER)
@answers_json
def bind_keys(request: HttpRequest) -> HttpResponseBase:
    """Remember which keys this labeler gave to the editor's deeds."""
    user = actor_of(request)
    keep_keys(read_json(request, KeysRequest).keys, of=user)
    return _answer(user)


def _wait_s(expected: Outlook, *, at: datetime) -> int:
    """Return after how many seconds to look again, though nothing was heard."""
    if expected.next_at is None:
        return _LOOK_AGAIN_S
    return max(1, ceil((expected.next_at - at).total_seconds()))


def _wants_json(request: HttpRequest) -> bool:
    return request.content_type == "application/json"


def _item(user: User, item_id: UUID) -> ReviewItem:
    items = ReviewItem.objects.for_actor(user, Role.LABELER)
    return get_object_or_404(items.select_related("sample__bundle", "sample__camera"), pk=item_id)


def _prepare(user: User, besides: tuple[UUID, ...]) -> ReviewItem | None:
    at = now()
    for queue in labelers_queues(user):
        if item := prepare_next(queue=queue, by=user, besides=besides, at=at):
            return item
    return None


def _answer(
    user: User, item: ReviewItem | None = None, *, gold: GoldFeedback | None = None
) -> HttpResponse:
    at = now()
    return json_answer(
        Answer(
            status=queue_status(list(labelers_queues(user)), by=user, at=at),
            item=None if item is None else item_for_editor(item, by=user, at=at),
            gold=gold,
        )
    )
