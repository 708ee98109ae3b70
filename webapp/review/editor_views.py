"""The editor, and what it asks of the hub."""

from collections.abc import Collection
from http import HTTPStatus
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
from webapp.review.exchange import (
    Answer,
    Conflict,
    NextRequest,
    Onward,
    SaveRequest,
    SkipRequest,
    answers_json,
    conflict,
    json_answer,
    read_json,
)
from webapp.review.gold import GoldFeedback, feedback
from webapp.review.keys import KeysRequest, keep_keys, keys_of
from webapp.review.models import ReviewItem, ReviewQueue, Verdict
from webapp.review.queries import item_for_editor, labelers_queues, own_status

_NO_WORK = "There is nothing to review right now."


@require_safe
@requires(Role.LABELER)
def review_item(request: HttpRequest, item_id: UUID) -> HttpResponse:
    """Show one item in the editor; looking does not claim it, the editor does once it is there."""
    user, at = actor_of(request), now()
    item = item_for_editor(_whole_item(user, item_id), by=user, at=at)
    status = own_status(list(labelers_queues(user)), by=user, at=at)
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
        queues = list(labelers_queues(user))
        return _answer(user, _prepared(queues, user, besides), queues=queues)
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
    return _go_on(user, wish.onward, gold=feedback(verdict))


@require_POST
@requires(Role.LABELER)
@answers_json
def skip(request: HttpRequest, item_id: UUID) -> HttpResponseBase:
    """Leave the picture to somebody else, or say that nobody can tell."""
    user = actor_of(request)
    item, wish = _item(user, item_id), read_json(request, SkipRequest)
    skip_item(item=item, by=user, revision=wish.revision, skip_as=wish.skip_as, at=now())
    return _go_on(user, wish.onward)


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
    queues = list(labelers_queues(user))
    return _answer(user, undo_last(queues=queues, by=user, at=at), queues=queues)


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


def _wants_json(request: HttpRequest) -> bool:
    return request.content_type == "application/json"


def _item(user: User, item_id: UUID) -> ReviewItem:
    """Return no more than which item it is: whoever writes it reads it anew."""
    items = ReviewItem.objects.for_actor(user, Role.LABELER)
    return get_object_or_404(items.only("organization"), pk=item_id)


def _whole_item(user: User, item_id: UUID) -> ReviewItem:
    items = ReviewItem.objects.for_actor(user, Role.LABELER)
    return get_object_or_404(items.select_related("sample__bundle", "sample__camera"), pk=item_id)


def _prepared(
    queues: Collection[ReviewQueue], user: User, besides: Collection[UUID]
) -> ReviewItem | None:
    at = now()
    for queue in queues:
        if item := prepare_next(queue=queue, by=user, besides=besides, at=at):
            return item
    return None


def _go_on(user: User, onward: Onward, *, gold: GoldFeedback | None = None) -> HttpResponse:
    """Answer a decision that was written, and do what the page wishes besides."""
    queues = list(labelers_queues(user))
    moved = None if onward.shown is None else _shown(user, onward.shown)
    item = None if onward.besides is None else _prepared(queues, user, onward.besides)
    return _answer(user, item, queues=queues, gold=gold, moved=moved)


def _shown(user: User, item_id: UUID) -> Conflict | None:
    """Begin with the item that is on the screen; return why not.

    One that is gone says so when it is saved.
    """
    found = ReviewItem.objects.for_actor(user, Role.LABELER).only("organization").filter(pk=item_id)
    try:
        for item in found:
            start_item(item=item, by=user, at=now())
    except ItemMoved as moved:
        return conflict(moved, by=user)
    return None


def _answer(
    user: User,
    item: ReviewItem | None = None,
    *,
    queues: Collection[ReviewQueue] | None = None,
    gold: GoldFeedback | None = None,
    moved: Conflict | None = None,
) -> HttpResponse:
    at = now()
    return json_answer(
        Answer(
            status=own_status(queues or list(labelers_queues(user)), by=user, at=at),
            item=None if item is None else item_for_editor(item, by=user, at=at),
            gold=gold,
            moved=moved,
        )
    )
