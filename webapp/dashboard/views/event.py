"""One event: its pictures and clips, its life, what it is about. Parts fetch themselves anew."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.models import Role
from webapp.accounts.permissions import requires
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import is_htmx, page
from webapp.dashboard.event_standing import clip_card
from webapp.dashboard.event_story import story_context
from webapp.dashboard.queries import events_for
from webapp.events.actions import ask_for_clips
from webapp.events.models import Clip, Event


@require_safe
@requires(Role.OPERATOR)
def event(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Show all that is known of an event."""
    shown = _event(request, event_id)
    context = _media_context(shown) | story_context(shown, at=now())
    return page(request, "dashboard/event.html", context)


@require_safe
@requires(Role.OPERATOR)
def media_part(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Show its picture or its clips."""
    return _part(request, "event_media", _media_context(_event(request, event_id)))


@require_safe
@requires(Role.OPERATOR)
def life_part(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Show what was said of it."""
    return _part(request, "event_life", story_context(_event(request, event_id), at=now()))


@require_safe
@requires(Role.OPERATOR)
def clip_part(request: HttpRequest, clip_id: UUID) -> HttpResponse:
    """Show one clip; one that has come meanwhile begins to play, because it was waited for."""
    return _clip_part(request, _clip(request, clip_id))


@require_POST
@requires(Role.OPERATOR)
def ask(request: HttpRequest, clip_id: UUID) -> HttpResponse:
    """Have the agent send a clip, and show that it is on its way."""
    clip = _clip(request, clip_id)
    ask_for_clips(Clip.objects.filter(pk=clip.pk), by=actor_of(request), at=now())
    if not is_htmx(request):
        return redirect("event_page", clip.event_id)
    return _clip_part(request, _clip(request, clip_id))


def _event(request: HttpRequest, event_id: UUID) -> Event:
    return get_object_or_404(events_for(actor_of(request)), pk=event_id)


def _clip(request: HttpRequest, clip_id: UUID) -> Clip:
    clips = Clip.objects.for_actor(actor_of(request), Role.OPERATOR)
    return get_object_or_404(clips.select_related("agent", "event__thumbnail"), pk=clip_id)


def _media_context(shown: Event) -> dict[str, object]:
    at = now()
    clips = shown.clips.select_related("agent")
    return {"event": shown, "clips": [clip_card(clip, at=at) for clip in clips]}


def _clip_part(request: HttpRequest, clip: Clip) -> HttpResponse:
    context = {"card": clip_card(clip, at=now()), "event": clip.event, "is_awaited": True}
    return _part(request, "event_clip", context)


def _part(request: HttpRequest, name: str, context: dict[str, object]) -> HttpResponse:
    response = render(request, f"dashboard/_{name}.html", context)
    response["Cache-Control"] = "no-store"
    return response
