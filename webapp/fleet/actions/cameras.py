"""What is wanted of cameras.

Every change raises the agent's `desired_version`; the gateway follows it and tells the agent.
"""

from datetime import datetime
from typing import TypedDict, Unpack

from django.db import transaction
from django.db.models import ProtectedError

from processing.wire.limits import MAX_CAMERAS
from webapp.common.changes import record_change
from webapp.fleet.models import Agent, Camera


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


@transaction.atomic
def add_camera(agent: Agent, *, at: datetime, **fields: Unpack[CameraFields]) -> Camera:
    """Give the agent a camera; raise `ValidationError` with the fields that are wrong."""
    locked = _raise_version(agent)
    if locked.cameras.count() >= MAX_CAMERAS:
        raise TooManyCameras(f"an agent has {MAX_CAMERAS} cameras at the most")
    camera = Camera(agent=locked, organization_id=locked.organization_id, **fields)
    camera.full_clean()
    camera.save(force_insert=True)
    record_change(locked.organization_id, "cameras", at=at)
    return camera


@transaction.atomic
def update_camera(camera: Camera, *, at: datetime, **fields: Unpack[CameraFields]) -> Camera:
    """Change what is wanted of a camera; raise `ValidationError` with the fields that are wrong."""
    _raise_version(camera.agent)
    camera = Camera.objects.get(pk=camera.pk)
    for name, value in fields.items():
        setattr(camera, name, value)
    camera.full_clean()
    camera.save(update_fields=tuple(fields))
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


def _raise_version(agent: Agent) -> Agent:
    """Return the agent, its row locked: of two changes at once, the second sees the first."""
    locked = Agent.objects.select_for_update().get(pk=agent.pk)
    locked.desired_version += 1
    locked.save(update_fields=("desired_version",))
    return locked
