"""What an operator does about events: for htmx the event's part, for scripts a sentence."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from webapp.accounts.models import Role, User
from webapp.accounts.permissions import requires
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import is_htmx
from webapp.common.problems import problem, problem_http
from webapp.dashboard.event_story import story_context
from webapp.dashboard.queries import events_for
from webapp.events.actions import (
    BadComment,
    TooManyComments,
    acknowledge,
    comment,
    take_back_acknowledgement,
)
from webapp.events.models import Event
from webapp.review.false_alarms import NoCamera, mark_false_alarm, unmark_false_alarm
from webapp.review.reports import CannotReport, report_event

Deed = Callable[[Event, User], str]
"""Does something about an event; returns what to tell, if that is not to be seen anyway."""

MOST: Final = 400
"""Events in one form; Django reads 500 fields."""
_OUTCOMES: Final = {
    "queued": "A false alarm: its picture goes to the labelers.",
    "no_picture": "A false alarm. There is no picture of it that labelers could look at.",
    "known": "It was marked as a false alarm already.",
}
_REPORTED: Final = {
    "queued": "Thank you: labelers look at its picture next.",
    "no_picture": "There is no picture of it that labelers could look at.",
}


@require_POST
@requires(Role.OPERATOR)
def take_note(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Acknowledge an event."""

    def deed(event: Event, by: User) -> str:
        acknowledge(Event.objects.filter(pk=event.pk), by=by, at=now())
        return ""

    return _do(request, event_id, deed)


@require_POST
@requires(Role.OPERATOR)
def take_back(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Have an event looked at again."""

    def deed(event: Event, by: User) -> str:
        take_back_acknowledgement(Event.objects.filter(pk=event.pk), by=by, at=now())
        return ""

    return _do(request, event_id, deed)


@require_POST
@requires(Role.OPERATOR)
def false_alarm(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Mark an event as a false alarm."""

    def deed(event: Event, by: User) -> str:
        try:
            return _OUTCOMES[mark_false_alarm(event, by=by, at=now())]
        except NoCamera as error:
            return str(error)

    return _do(request, event_id, deed)


@require_POST
@requires(Role.OPERATOR)
def no_false_alarm(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Say that it was none after all."""

    def deed(event: Event, by: User) -> str:
        unmark_false_alarm(event, by=by, at=now())
        return ""

    return _do(request, event_id, deed)


@require_POST
@requires(Role.OPERATOR)
def report(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Have labelers look at an event's picture: something in it is wrong."""

    def deed(event: Event, by: User) -> str:
        try:
            return _REPORTED[report_event(event, by=by, at=now())]
        except CannotReport as error:
            return str(error)

    return _do(request, event_id, deed)


@require_POST
@requires(Role.OPERATOR)
def say(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Comment on an event."""
    event = _event(request, event_id)
    try:
        comment(event, by=actor_of(request), text=request.POST.get("text", ""), at=now())
    except (BadComment, TooManyComments) as error:
        return problem_http(
            problem(
                HTTPStatus.UNPROCESSABLE_ENTITY, detail=str(error), errors={"text": [str(error)]}
            )
        )
    return _answer(request, event, "")


@require_POST
@requires(Role.OPERATOR)
def take_note_of_many(request: HttpRequest) -> HttpResponse:
    """Acknowledge the events that are named, or take that back; others are passed over."""
    try:
        wanted = [UUID(text) for text in request.POST.getlist("event")]
    except ValueError:
        return _bad("These are no ids of events.")
    if not 0 < len(wanted) <= MOST:
        return _bad(f"Name between one and {MOST} events.")
    actor = actor_of(request)
    events = Event.objects.for_actor(actor, Role.OPERATOR).filter(pk__in=wanted)
    does = take_back_acknowledgement if request.POST.get("undo") else acknowledge
    return JsonResponse({"n_events": does(events, by=actor, at=now())})


def _do(request: HttpRequest, event_id: UUID, deed: Deed) -> HttpResponse:
    event = _event(request, event_id)
    words = deed(event, actor_of(request))
    return _answer(request, event, words)


def _answer(request: HttpRequest, event: Event, words: str) -> HttpResponse:
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"says": words})
    if not is_htmx(request):
        return redirect("event_page", event.pk)
    context = story_context(_event(request, event.pk), at=now())
    response = render(request, "dashboard/_event_life.html", context)
    response["Cache-Control"] = "no-store"
    if words:
        # To the page: what was pressed may have been renewed meanwhile, and hears nothing.
        response["HX-Trigger"] = json.dumps({"fw:say": {"words": words, "target": "body"}})
    return response


def _event(request: HttpRequest, event_id: UUID) -> Event:
    return get_object_or_404(events_for(actor_of(request)), pk=event_id)


def _bad(words: str) -> HttpResponse:
    return problem_http(problem(HTTPStatus.BAD_REQUEST, detail=words, errors={"event": [words]}))
