"""The events page: filtered, newest first, more on demand."""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from webapp.accounts.models import Role
from webapp.accounts.permissions import requires
from webapp.accounts.requests import actor_of
from webapp.common.pages import page
from webapp.dashboard.forms import EventFilter
from webapp.dashboard.paging import page_of
from webapp.dashboard.queries import events_for
from webapp.fleet.models import Camera


@require_safe
@requires(Role.OPERATOR)
def events(request: HttpRequest) -> HttpResponse:
    """Show what people were told about; htmx gets the rows alone."""
    actor = actor_of(request)
    cameras = Camera.objects.for_actor(actor, Role.OPERATOR)
    chosen = EventFilter(request.GET, cameras=cameras)
    found = events_for(actor)
    status = HTTPStatus.OK
    if chosen.is_valid():
        if severity := chosen.cleaned_data["severity"]:
            found = found.filter(severity=severity)
        if camera := chosen.cleaned_data["camera"]:
            found = found.filter(camera=camera)
    else:
        status, found = HTTPStatus.BAD_REQUEST, found.none()
    after = chosen.cleaned_data.get("after")
    query = request.GET.copy()
    query.pop("after", None)
    context = {
        "form": chosen,
        "events_page": page_of(found, after=after),
        "is_first": after is None,
        "is_filtered": bool(
            chosen.cleaned_data.get("severity") or chosen.cleaned_data.get("camera")
        ),
        "query": query.urlencode(),
    }
    return page(
        request, "dashboard/events.html", context, part="dashboard/_events.html", status=status
    )
