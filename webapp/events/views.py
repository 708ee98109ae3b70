"""Pictures and clips of events, for the operators of the organization that owns them."""

from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from webapp.accounts.models import Role
from webapp.accounts.permissions import requires
from webapp.accounts.requests import actor_of
from webapp.events.models import Clip, Event
from webapp.media.serving import blob_response


@require_safe
@requires(Role.OPERATOR)
def thumbnail(request: HttpRequest, event_id: UUID) -> HttpResponseBase:
    """Answer with the best picture of an event so far."""
    events = Event.objects.for_actor(actor_of(request), Role.OPERATOR)
    pictured = events.filter(thumbnail__isnull=False).select_related("thumbnail__blob")
    event = get_object_or_404(pictured, pk=event_id)
    assert event.thumbnail is not None
    return blob_response(request, event.thumbnail.blob, name=f"{event.pk}.jpg")


@require_safe
@requires(Role.OPERATOR)
def clip(request: HttpRequest, clip_id: UUID) -> HttpResponseBase:
    """Answer with a clip that is here, or the piece of it that a player asks for."""
    clips = Clip.objects.for_actor(actor_of(request), Role.OPERATOR)
    shown = get_object_or_404(clips.filter(blob__isnull=False).select_related("blob"), pk=clip_id)
    assert shown.blob is not None
    return blob_response(request, shown.blob, name=f"{shown.begins_at:%Y-%m-%d %H-%M-%S}.mp4")
