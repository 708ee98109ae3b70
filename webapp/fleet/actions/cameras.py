"""What is wanted of cameras.

Every change raises the agent's `desired_version`; the gateway follows it and tells the agent.
"""

from datetime import datetime
from typing import Any, Final, TypedDict, Unpack

import msgspec
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction
from django.db.models import ProtectedError

from processing.wire.limits import MAX_CAMERAS, MAX_MESSAGE_BYTES
from webapp.common.changes import record_change
from webapp.fleet.drawing import Drawing
from webapp.fleet.models import Agent, Camera
from webapp.fleet.queries import build_desired_state
from webapp.fleet.wishes import plain

MAX_DESIRED_BYTES: Final = MAX_MESSAGE_BYTES - 16 * 1024
"""Of all that is wanted of one agent, in the longer of the wire's encodings; the rest of the
message that carries it has room beside it."""

_encode = msgspec.json.Encoder().encode


class TooManyCameras(Exception):
    """An agent carries so many cameras and no more."""


class CameraInUse(Exception):
    """People's work hangs on what the camera saw; it can be disabled, not removed."""


class CameraFields(TypedDict, total=False):
    """What is wanted of a camera; what is absent stays as it is or has its default."""

    name: str
    source: str
    is_enabled: bool
    analysed_fps: float
    score_threshold: float
    labels: list[str]
    sample_policy: dict[str, float]
    policies: dict[str, Any]
    """By name (`webapp.fleet.wishes.POLICIES`); in an update those that are absent stay."""
    scene: dict[str, Any]


class DrawingChanged(Exception):
    """Somebody else saved meanwhile; nothing was written."""

    def __init__(self, camera: Camera) -> None:
        super().__init__("Somebody else has changed this drawing since you opened it.")
        self.camera = camera


class NotAllowed(Exception):
    """Who may draw may not change what is hidden."""


@transaction.atomic
def add_camera(agent: Agent, *, at: datetime, **fields: Unpack[CameraFields]) -> Camera:
    """Give the agent a camera; raise `ValidationError` with the fields that are wrong."""
    locked = _raise_version(agent)
    if locked.cameras.count() >= MAX_CAMERAS:
        raise TooManyCameras(f"an agent has {MAX_CAMERAS} cameras at the most")
    camera = Camera(agent=locked, organization_id=locked.organization_id, **fields)
    camera.full_clean()
    camera.save(force_insert=True)
    _check_fits(locked)
    record_change(locked.organization_id, "cameras", at=at)
    return camera


@transaction.atomic
def update_camera(camera: Camera, *, at: datetime, **fields: Unpack[CameraFields]) -> Camera:
    """Change what is wanted of a camera; raise `ValidationError` with the fields that are wrong."""
    _raise_version(camera.agent)
    camera = Camera.objects.get(pk=camera.pk)
    _write(camera, fields)
    record_change(camera.organization_id, "cameras", at=at)
    return camera


@transaction.atomic
def save_drawing(camera: Camera, drawing: Drawing, *, may_unhide: bool, at: datetime) -> Camera:
    """Write a drawing over the one it was made from.

    Raise `DrawingChanged` if that is not the newest any more, and `NotAllowed` if privacy zones
    differ where the caller `may_unhide` nothing.
    """
    _raise_version(camera.agent)
    camera = Camera.objects.select_related("agent").get(pk=camera.pk)
    if camera.drawing_revision != drawing.revision:
        raise DrawingChanged(camera)
    privacy = drawing.privacy(camera)
    if not may_unhide and privacy.zones != camera.desired().privacy.zones:
        raise NotAllowed("Only an admin may change which parts of the picture are hidden.")
    policies = {"region": plain(drawing.region), "privacy": plain(privacy)}
    _write(camera, CameraFields(policies=policies, scene=plain(drawing.scene)))
    record_change(camera.organization_id, "cameras", at=at)
    return camera


@transaction.atomic
def remove_camera(camera: Camera, *, at: datetime) -> None:
    """Forget a camera and all that was seen by it; raise `CameraInUse` where that may not be."""
    _raise_version(camera.agent)
    try:
        camera.delete()
    except ProtectedError as error:
        raise CameraInUse("labelers have judged its pictures; disable it instead") from error
    record_change(camera.organization_id, "cameras", at=at)


def _write(camera: Camera, fields: CameraFields) -> None:
    """Change a camera whose agent is locked; raise `ValidationError`."""
    before, policies = _drawn(camera), camera.policies
    for name, value in fields.items():
        setattr(camera, name, value)
    if "policies" in fields:
        camera.policies = policies | fields["policies"]
    camera.full_clean()
    camera.drawing_revision += _drawn(camera) != before
    camera.save(update_fields=(*fields, "drawing_revision"))
    _check_fits(camera.agent)


def _check_fits(agent: Agent) -> None:
    """Refuse what would make the agent's message longer than it reads: it would never connect."""
    n_bytes = len(_encode(build_desired_state(agent)))
    if n_bytes > MAX_DESIRED_BYTES:
        words = (
            f"All that is wanted of {agent.name} would be {n_bytes} bytes, and it reads"
            f" {MAX_DESIRED_BYTES}: draw fewer corners, name fewer classes, or add an agent."
        )
        raise ValidationError({NON_FIELD_ERRORS: [words]})


def _drawn(camera: Camera) -> tuple[object, ...]:
    wanted = camera.desired()
    return wanted.scene, wanted.region, wanted.privacy.zones


def _raise_version(agent: Agent) -> Agent:
    """Return the agent, its row locked: of two changes at once, the second sees the first."""
    locked = Agent.objects.select_for_update().get(pk=agent.pk)
    locked.desired_version += 1
    locked.save(update_fields=("desired_version",))
    return locked
