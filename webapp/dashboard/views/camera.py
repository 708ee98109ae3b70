"""One camera: its live picture's page, its parts, its settings."""

from http import HTTPStatus
from typing import Final
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
from webapp.dashboard.camera_forms import TIME_ZONES, SettingsForm
from webapp.dashboard.image_quality import gated_share, image_figures
from webapp.dashboard.overflow import has_overflow, overflow_facts
from webapp.dashboard.queries import events_for, last_samples
from webapp.dashboard.standing import camera_standing
from webapp.dashboard.suggestions import suggestions
from webapp.fleet.actions import TooManyCameras, add_camera, update_camera
from webapp.fleet.drawing import Drawing
from webapp.fleet.models import Agent, Bundle, Camera
from webapp.fleet.wishes import plain

_N_EVENTS: Final = 6
_N_SAMPLES: Final = 10


@require_safe
@requires(Role.OPERATOR)
def camera(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Show a camera: live picture, counts, last events and samples."""
    actor, shown = actor_of(request), _camera(request, camera_id)
    drawing = Drawing.of(shown)
    context = _state_context(shown) | {
        "drawing": plain(drawing),
        "zones": drawing.scene.zones,
        "has_drawing": drawing != Drawing(revision=drawing.revision),
        "bundles": _labels_by_digest(shown),
        "events": _events(actor, shown),
        "samples": last_samples(shown, n=_N_SAMPLES),
        "may_review": has_role(actor, Role.LABELER),
        "may_administer": _may_administer(actor, shown),
    }
    if has_overflow(shown):
        context |= {"overflow": overflow_facts(shown, at=now())}
    return page(request, "dashboard/camera.html", context)


@require_safe
@requires(Role.OPERATOR)
def state_part(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Show how the camera is."""
    return _part(request, "camera_state", _state_context(_camera(request, camera_id)))


@require_safe
@requires(Role.OPERATOR)
def overflow_part(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Show what the cloud does for the camera today."""
    shown = _camera(request, camera_id)
    return _part(request, "overflow_facts", {"overflow": overflow_facts(shown, at=now())})


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
def labels(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Answer with the labels of every bundle that may have looked at this camera, as JSON."""
    return _json(_labels_by_digest(_camera(request, camera_id)))


@require_http_methods(["GET", "POST"])
@requires(Role.ADMIN)
def settings(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Show and take what is wanted of a camera."""
    shown = _camera(request, camera_id, Role.ADMIN)
    form = SettingsForm(request.POST if request.method == "POST" else None, camera=shown)
    if form.is_bound and form.is_valid():
        try:
            update_camera(shown, at=now(), **form.values())
        except ValidationError as error:
            _take_errors(form.camera, error)
        else:
            return redirect("camera", camera_id)
    return _settings_page(request, form, {"camera": shown, "agent": shown.agent})


@require_http_methods(["GET", "POST"])
@requires(Role.ADMIN)
def new(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """Give an agent another camera; `?found=ADDRESS` begins with one that it has found."""
    agents = Agent.objects.for_actor(actor_of(request), Role.ADMIN).filter(is_revoked=False)
    agent = get_object_or_404(agents.select_related("site"), pk=agent_id)
    found = suggestions(agent)
    form = SettingsForm(request.POST if request.method == "POST" else None)
    if chosen := next((each for each in found if each.address == request.GET.get("found")), None):
        form.camera.initial = {"name": chosen.name, "source": chosen.source}
    if form.is_bound and form.is_valid():
        try:
            made = add_camera(agent, at=now(), **form.values())
        except ValidationError as error:
            _take_errors(form.camera, error)
        except TooManyCameras as error:
            form.camera.add_error(None, str(error))
        else:
            return redirect("camera", made.pk)
    return _settings_page(request, form, {"agent": agent, "found": found, "chosen": chosen})


def _camera(request: HttpRequest, camera_id: UUID, needed: Role = Role.OPERATOR) -> Camera:
    cameras = Camera.objects.for_actor(actor_of(request), needed)
    return get_object_or_404(cameras.select_related("agent", "agent__site"), pk=camera_id)


def _state_context(shown: Camera) -> dict[str, object]:
    return {
        "camera": shown,
        "standing": camera_standing(shown, at=now()),
        "figures": image_figures(shown),
        "gated": gated_share(shown),
    }


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
    request: HttpRequest, form: SettingsForm, context: dict[str, object]
) -> HttpResponse:
    status = HTTPStatus.OK
    if form.is_bound:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        form.lead_to_error()
    context |= {"form": form, "time_zones": TIME_ZONES}
    return page(request, "dashboard/camera_settings.html", context, status=status)


def _part(request: HttpRequest, name: str, context: dict[str, object]) -> HttpResponse:
    response = render(request, f"dashboard/_{name}.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _json(content: object) -> HttpResponse:
    response = HttpResponse(msgspec.json.encode(content), content_type="application/json")
    response["Cache-Control"] = "no-store"
    return response
