"""What the hub wants against what is: the difference as a list, and the last wishes on disk."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias
from uuid import UUID

import msgspec
import structlog

from processing.wire.camera import DesiredCamera
from processing.wire.messages import DesiredState

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Start:
    """Begin to watch a camera."""

    camera: DesiredCamera


@dataclass(frozen=True, slots=True)
class Stop:
    """Watch it no more."""

    camera_id: UUID


@dataclass(frozen=True, slots=True)
class Tune:
    """Go on watching it with other settings; its source is the same."""

    camera: DesiredCamera


Change: TypeAlias = Start | Stop | Tune


def changes(desired: DesiredState, actual: Mapping[UUID, DesiredCamera]) -> list[Change]:
    """Return what makes `actual` (the cameras that are watched) what is desired; stops first.

    A camera whose pictures come from elsewhere now, or go elsewhere, is stopped and started; one
    that is disabled is stopped.
    """
    wanted = {camera.camera_id: camera for camera in desired.cameras if camera.is_enabled}
    stops: list[Change] = []
    begins: list[Change] = []
    for camera_id, camera in actual.items():
        if camera_id not in wanted or _is_another(wanted[camera_id], camera):
            stops.append(Stop(camera_id))
    for camera_id, camera in wanted.items():
        before = actual.get(camera_id)
        if before is None or _is_another(camera, before):
            begins.append(Start(camera))
        elif before != camera:
            begins.append(Tune(camera))
    return stops + begins


def _is_another(wanted: DesiredCamera, actual: DesiredCamera) -> bool:
    return (
        wanted.source != actual.source
        or wanted.streams.clip_source != actual.streams.clip_source
        or wanted.clips.is_on != actual.clips.is_on
        or (bool(wanted.streams.clip_source) and wanted.schedule != actual.schedule)
    )


class LastWishes:
    """The newest desired state, kept for a start while the hub is away."""

    def __init__(self, path: Path) -> None:
        self._path: Final = path

    def read(self) -> DesiredState:
        """Return it; nothing at all is desired if there is none, or none that can be read."""
        try:
            return msgspec.msgpack.decode(self._path.read_bytes(), type=DesiredState)
        except FileNotFoundError:
            return DesiredState(version=0)
        except (OSError, msgspec.DecodeError) as error:
            log.warning("desired.unreadable", reason=str(error))
            return DesiredState(version=0)

    def write(self, desired: DesiredState) -> None:
        """Keep it; a failure costs only a start without the hub, and is logged."""
        content = msgspec.msgpack.encode(desired)
        part = self._path.with_suffix(".part")
        try:
            # Sources may hold passwords of cameras.
            with os.fdopen(
                os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"
            ) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except OSError as error:
            log.warning("desired.not_kept", reason=str(error))
