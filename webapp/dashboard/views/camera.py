"""One camera: its live picture's page, its chart's figures, its parts, its settings."""

from http import HTTPStatus
from typing import Final, get_args
from uuid import UUID

import msgspec
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from webapp.accounts.models import Role, User
from webapp.accounts.permissions import has_role, requires
from webapp.accounts.requests import actor_of
from webapp.common.clock import now
from webapp.common.pages import page
from webapp.dashboard.counts import Measure, Span, label_counts
from webapp.dashboard.forms import CameraForm
from webapp.dashboard.queries import events_for, last_samples
from webapp.dashboard.standing import camera_standing
from webapp.fleet.actions import TooManyCameras, add_camera, update_camera
from webapp.fleet.models import Agent, Bundle, Camera

_N_EVENTS: Final = 6
_N_SAMPLES: Final = 10


@require_safe
@requires(Role.OPERATOR)
def camera(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Show a camera: live picture, counts, last events and samples."""
    actor, shown = actor_of(request), _camera(request, camera_id)
    context = _state_context(shown) | {
        "bundles": _labels_by_digest(shown),
        "events": _events(actor, shown),
        "samples": last_samples(shown, n=_N_SAMPLES),
        "may_review": has_role(actor, Role.LABELER),
        "may_administer": _may_administer(actor, shown),
    }
    return page(request, "dashboard/camera.html", context)


@require_safe
@requires(Role.OPERATOR)
def state_part(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Show how the camera is."""
    return _part(request, "camera_state", _state_context(_camera(request, camera_id)))


@require_safe
@requires(Role.OPERATOR)
def events_part(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Show the camera's newest events."""
    shown = _camera(request, camera_id)
    context = {"events": _events(actor_of(request), shown), "camera": shown}
    return _part(request, "events_short", context)


@require_safe
@requires(Role.OPERATOR)
def samples_part(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Show the camera's newest samples."""
    shown = _camera(request, camera_id)
    context = {
        "samples": last_samples(shown, n=_N_SAMPLES),
        "may_review": has_role(actor_of(request), Role.LABELER),
    }
    return _part(request, "samples", context)


@require_safe
@requires(Role.OPERATOR)
def counts(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Answer with counts per class over time, as JSON: `?span=1h|24h|7d&measure=seen|peak`."""
    shown = _camera(request, camera_id)
    try:
        span = msgspec.convert(request.GET.get("span", "1h"), Span)
        measure = msgspec.convert(request.GET.get("measure", "seen"), Measure)
    except msgspec.ValidationError:
        allowed = {"span": get_args(Span), "measure": get_args(Measure)}
        return _json({"allowed": allowed}, status=HTTPStatus.BAD_REQUEST)
    return _json(label_counts(shown, span=span, measure=measure, at=now()))


@require_safe
@requires(Role.OPERATOR)
def labels(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Answer with the labels of every bundle that may have looked at this camera, as JSON."""
    return _json(_labels_by_digest(_camera(request, camera_id)))


@require_http_methods(["GET", "POST"])
@requires(Role.ADMIN)
def settings(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Show and take what is wanted of a camera."""
    shown = _camera(request, camera_id, Role.ADMIN)
    form = CameraForm(request.POST) if request.method == "POST" else CameraForm.of(shown)
    if form.is_bound and form.is_valid():
        try:
            update_camera(shown, at=now(), **form.values())
        except ValidationError as error:
            _take_errors(form, error)
        else:
            return redirect("camera", camera_id)
    return _settings_page(request, form, {"camera": shown, "agent": shown.agent})


@require_http_methods(["GET", "POST"])
@requires(Role.ADMIN)
def new(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """Give an agent another camera."""
    agents = Agent.objects.for_actor(actor_of(request), Role.ADMIN).filter(is_revoked=False)
    agent = get_object_or_404(agents.select_related("site"), pk=agent_id)
    form = CameraForm(request.POST or None)
    if form.is_bound and form.is_valid():
        try:
            made = add_camera(agent, at=now(), **form.values())
        except ValidationError as error:
            _take_errors(form, error)
        except TooManyCameras as error:
            form.add_error(None, str(error))
        else:
            return redirect("camera", made.pk)
    return _settings_page(request, form, {"agent": agent})


def _camera(request: HttpRequest, camera_id: UUID, needed: Role = Role.OPERATOR) -> Camera:
    cameras = Camera.objects.for_actor(actor_of(request), needed)
    return get_object_or_404(cameras.select_related("agent", "agent__site"), pk=camera_id)


def _state_context(shown: Camera) -> dict[str, object]:
    return {"camera": shown, "standing": camera_standing(shown, at=now())}


def _events(actor: User, shown: Camera) -> list[object]:
    return list(events_for(actor).filter(camera=shown)[:_N_EVENTS])


def _labels_by_digest(shown: Camera) -> dict[str, list[str]]:
    bundles = Bundle.objects.filter(organization=shown.organization_id)
    return dict(bundles.values_list("digest", "labels")[:100])


def _may_administer(actor: User, shown: Camera) -> bool:
    return Camera.objects.for_actor(actor, Role.ADMIN).filter(pk=shown.pk).exists()


def _take_errors(form: Form, error: ValidationError) -> None:
    """Put what the action refused beside the fields it is about."""
    for name, messages in error.message_dict.items():
        form.add_error(name if name in form.fields else None, messages)


def _settings_page(
    request: HttpRequest, form: CameraForm, context: dict[str, object]
) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    context |= {"form": form}
    return page(request, "dashboard/camera_settings.html", context, status=status)


def _part(request: HttpRequest, name: str, context: dict[str, object]) -> HttpResponse:
    response = render(request, f"dashboard/_{name}.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _json(content: object, *, status: int = HTTPStatus.OK) -> HttpResponse:
    response = HttpResponse(
        msgspec.json.encode(content), status=status, content_type="application/json"
    )
    response["Cache-Control"] = "no-store"
    return response
