"""The scene editor: zones, lines and rules of one camera, drawn and saved as one document."""

from http import HTTPStatus
from uuid import UUID

import msgspec
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from processing.wire.identity import Problem
from processing.wire.limits import MAX_POINTS, MAX_RULES, MAX_ZONES
from webapp.accounts.models import Role
from webapp.accounts.permissions import requires
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import page
from webapp.common.problems import problem, problem_http
from webapp.dashboard.classes import classes_of
from webapp.dashboard.drawing_json import json_of
from webapp.dashboard.queries import last_samples
from webapp.fleet.actions import DrawingChanged, NotAllowed, save_drawing
from webapp.fleet.drawing import Drawing
from webapp.fleet.models import Camera
from webapp.fleet.wishes import BadWish, plain, read_wish


class Conflict(Problem, frozen=True, kw_only=True):
    """A 409: nothing was written, and this is what others have drawn."""

    drawing: Drawing


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def scene(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Show the editor; take a drawing as JSON, or say by field what is wrong with it."""
    cameras = Camera.objects.for_actor(actor_of(request), Role.OPERATOR)
    shown = get_object_or_404(cameras.select_related("agent", "agent__site"), pk=camera_id)
    may_unhide = (
        Camera.objects.for_actor(actor_of(request), Role.ADMIN).filter(pk=shown.pk).exists()
    )
    if request.method == "POST":
        return _save(request, shown, may_unhide=may_unhide)
    sample = next(iter(last_samples(shown, n=1)), None)
    size = (shown.width, shown.height) if shown.width and shown.height else None
    if size is None and sample is not None:
        size = (sample.width, sample.height)
    first = {
        "drawing": plain(Drawing.of(shown)),
        "classes": classes_of(shown, at=now()),
        "size": size or (1280, 720),
        "may_unhide": may_unhide,
        "limits": {"points": MAX_POINTS, "zones": MAX_ZONES, "rules": MAX_RULES},
    }
    context = {"camera": shown, "sample": sample, "first": first, "may_unhide": may_unhide}
    return page(request, "dashboard/scene.html", context)


def _save(request: HttpRequest, shown: Camera, *, may_unhide: bool) -> HttpResponse:
    try:
        drawing = read_wish(Drawing, json_of(request))
        saved = save_drawing(shown, drawing, may_unhide=may_unhide, at=now())
    except BadWish as bad:
        return _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(bad), {bad.path: [str(bad)]})
    except ValidationError as error:
        return _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, " ".join(error.messages), {})
    except NotAllowed as error:
        errors = {"privacy_zones": [str(error)]}
        return _refusal(HTTPStatus.UNPROCESSABLE_ENTITY, str(error), errors)
    except DrawingChanged as changed:
        plain_words = problem(HTTPStatus.CONFLICT, code="drawing-changed", detail=str(changed))
        return problem_http(
            Conflict(
                type=plain_words.type,
                title=plain_words.title,
                status=plain_words.status,
                detail=plain_words.detail,
                drawing=Drawing.of(changed.camera),
            )
        )
    return HttpResponse(
        msgspec.json.encode(Drawing.of(saved)),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def _refusal(status: HTTPStatus, detail: str, errors: dict[str, list[str]]) -> HttpResponse:
    return problem_http(problem(status, code="invalid", detail=detail, errors=errors))
