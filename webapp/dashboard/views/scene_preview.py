"""The scene editor's strip: what a draft would have told of the last hour."""

from http import HTTPStatus
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from processing.wire.scene import Scene
from webapp.accounts.models import Role
from webapp.accounts.permissions import requires
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.problems import problem, problem_http
from webapp.dashboard.drawing_json import json_of
from webapp.dashboard.scene_preview import TooManyPreviews, ask_preview, previews_for
from webapp.fleet.models import Camera
from webapp.fleet.wishes import BadWish, read_wish


@require_POST
@requires(Role.OPERATOR)
def ask(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Have a draft judged: the body is a `Scene` as JSON; the answer says where it will be."""
    cameras = Camera.objects.for_actor(actor_of(request), Role.OPERATOR)
    camera = get_object_or_404(cameras.select_related("organization"), pk=camera_id)
    try:
        scene = read_wish(Scene, json_of(request))
        job = ask_preview(camera, scene, by=actor_of(request), at=now())
    except BadWish as bad:
        errors = {bad.path: [str(bad)]}
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return problem_http(problem(status, code="invalid", detail=str(bad), errors=errors))
    except TooManyPreviews:
        words = "Many others draw as well just now. Try again in a moment."
        return problem_http(problem(HTTPStatus.TOO_MANY_REQUESTS, detail=words))
    url = reverse("scene_preview", args=[job.pk])
    return JsonResponse({"url": url}, status=HTTPStatus.ACCEPTED)


@require_safe
@requires(Role.OPERATOR)
def previewed(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Answer with how far it is and, once it is done, with what would have been told."""
    job = get_object_or_404(previews_for(actor_of(request)), pk=job_id)
    answer = JsonResponse(
        {
            "state": job.state,
            "n_done": job.n_done,
            "n_total": job.n_total,
            "error": job.error,
            "result": job.result or None,
        }
    )
    answer["Cache-Control"] = "no-store"
    return answer
