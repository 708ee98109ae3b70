"""The events page: filtered, newest first, more on demand."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from webapp.accounts.models import Role
from webapp.accounts.permissions import requires
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import page
from webapp.dashboard.classes import known_classes
from webapp.dashboard.event_filter import EventFilter
from webapp.dashboard.event_standing import event_card
from webapp.dashboard.paging import page_of
from webapp.dashboard.queries import events_for
from webapp.fleet.models import Camera


@require_safe
@requires(Role.OPERATOR)
def events(request: HttpRequest) -> HttpResponse:
    """Show what people were told about; htmx and the page's own script get the rows alone."""
    actor, at = actor_of(request), now()
    cameras = Camera.objects.for_actor(actor, Role.OPERATOR)
    chosen = EventFilter(request.GET, cameras=cameras)
    found = events_for(actor).prefetch_related("clips")
    status = HTTPStatus.OK
    if chosen.is_valid():
        found = chosen.narrowed(found, at=at)
    else:
        status, found = HTTPStatus.BAD_REQUEST, found.none()
    after = chosen.cleaned_data.get("after")
    query = request.GET.copy()
    query.pop("after", None)
    shown = page_of(found, after=after)
    context = {
        "form": chosen,
        "cards": [event_card(event, at=at) for event in shown.events],
        "next": shown.next,
        "is_first": after is None,
        "is_filtered": chosen.is_narrow,
        "classes": known_classes(actor),
        "query": query.urlencode(),
    }
    return page(
        request, "dashboard/events.html", context, part="dashboard/_events.html", status=status
    )
