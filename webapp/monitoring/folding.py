"""Features of frames into minutes and hours, inside the transaction that stores their results.

The caller holds the rows of the agents, and a camera has one agent, so nobody else writes these
cameras' rows meanwhile: they are read, merged and written.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from processing.wire.messages import FrameFeatures, ImageState, StateReport
from webapp.common.rows import Kind, Row, write_rows
from webapp.fleet.models import Agent
from webapp.monitoring.models import FEATURES, FeatureHour, FeatureMinute
from webapp.monitoring.sketches import GREATEST, Sketch, merged
from webapp.results.bulk import NewResults

Key: TypeAlias = str
"""A UUID, hex without dashes."""
Place: TypeAlias = tuple[Key, datetime]
"""A camera, and when its minute or hour begins."""
Sketches: TypeAlias = list[Sketch]
"""One a feature, in the order of `FEATURES`."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one frame of a camera was like."""

    organization: Key
    camera: Key
    at: datetime
    features: FrameFeatures | ImageState


_KINDS: Final[tuple[Kind, ...]] = ("uuid", "timestamptz", "uuid", "int8") + ("bytea",) * 5
_COLUMNS: Final = ("camera_id", "begins_at", "organization_id", "n_frames", *FEATURES)
_WRITE: Final = (
    f"({', '.join(_COLUMNS)}) {{rows}} ON CONFLICT (camera_id, begins_at) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[3:])
)
_WRITE_TO: Final = {
    FeatureMinute: f"INSERT INTO monitoring_featureminute {_WRITE}",
    FeatureHour: f"INSERT INTO monitoring_featurehour {_WRITE}",
}


def fold_features(measured: Iterable[Measured]) -> None:
    """Add what frames were like to their cameras' minutes and hours."""
    organizations: dict[Key, Key] = {}
    frames: dict[Place, list[FrameFeatures | ImageState]] = defaultdict(list)
    for each in measured:
        organizations[each.camera] = each.organization
        frames[each.camera, each.at.replace(second=0, microsecond=0)].append(each.features)
    if not frames:
        return
    minutes = {
        place: [Sketch.of(getattr(each, name) for each in seen) for name in FEATURES]
        for place, seen in frames.items()
    }
    by_hour: dict[Place, list[Sketches]] = defaultdict(list)
    for (camera, begins_at), sketches in minutes.items():
        by_hour[camera, begins_at.replace(minute=0)].append(sketches)
    hours = {place: _merged(every) for place, every in by_hour.items()}
    _write(FeatureMinute, minutes, organizations)
    _write(FeatureHour, hours, organizations)


def measured_in(arrivals: Iterable[NewResults]) -> Iterator[Measured]:
    """Yield what is known of the frames of new results; most results say nothing of theirs."""
    for arrived in arrivals:
        for new in arrived.results:
            if new.features is not None:
                yield Measured(arrived.organization, new.camera, new.captured_at, new.features)


def measured_unseen(
    agent: Agent, report: StateReport, known: Container[int], *, at: datetime
) -> Iterator[Measured]:
    """Yield what an agent reports of cameras whose frames the motion gate spares the network.

    Frames in which nothing moves have no results, so nothing else would tell of such a camera.
    """
    for camera in report.cameras:
        image = camera.image
        if camera.n_gated and image and camera.camera_id.int in known and is_plausible(image):
            yield Measured(agent.organization_id.hex, camera.camera_id.hex, at, image)


def is_plausible(features: FrameFeatures | ImageState) -> bool:
    """Return whether all are numbers that a picture can have."""
    return all(0 <= getattr(features, name) <= GREATEST for name in FEATURES)


def _write(
    model: type[FeatureMinute | FeatureHour],
    new: Mapping[Place, Sketches],
    organizations: Mapping[Key, Key],
) -> None:
    known = _known(model, new)
    rows: list[Row] = []
    for place in sorted(new):
        sketches = _merged([new[place], known[place]]) if place in known else new[place]
        camera, begins_at = place
        packed = (sketch.encode() for sketch in sketches)
        rows.append((camera, begins_at, organizations[camera], sketches[0].n, *packed))
    write_rows(_WRITE_TO[model], _KINDS, rows)


def _known(
    model: type[FeatureMinute | FeatureHour], places: Iterable[Place]
) -> dict[Place, Sketches]:
    """Return what is there at these places."""
    cameras, begins = zip(*places, strict=True)
    found = model.objects.filter(
        camera__in={UUID(camera) for camera in cameras}, begins_at__in=set(begins)
    ).values_list("camera_id", "begins_at", *FEATURES)
    return {
        (camera_id.hex, begins_at): [Sketch.decode(packed) for packed in sketches]
        for camera_id, begins_at, *sketches in found
    }


def _merged(every: Sequence[Sketches]) -> Sketches:
    return [merged(sketches) for sketches in zip(*every, strict=True)]
