"""The reported side of desired/reported: what agents say of themselves."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from operator import itemgetter
from typing import Final
from uuid import UUID

import msgspec

from processing.wire.messages import BundleState, CameraState, FoundCamera, ImageState, StateReport
from webapp.common.changes import record_change
from webapp.common.rows import Kind, Row, any_of, update_by_id, write_rows
from webapp.common.text import clean_text
from webapp.fleet.models import Agent, Bundle, Camera

_LARGEST: Final = 2**31 - 1
_LONGEST_STATE: Final = timedelta(days=3650)
_FIGURES: Final = ("brightness", "contrast", "sharpness", "noise", "motion")
_OF_AGENT: Final[dict[str, Kind]] = {
    "problems": "jsonb",
    "found_cameras": "jsonb",
    "reported_version": "int8",
    "n_pending": "int8",
    "last_seen_at": "timestamptz",
}
_OF_CAMERA: Final[dict[str, Kind]] = {
    "state": "text",
    "state_reason": "text",
    "state_since_at": "timestamptz",
    "fps": "float8",
    "n_frames": "int8",
    "n_dropped": "int8",
    "width": "int8",
    "height": "int8",
    "n_gated": "int8",
    "image": "jsonb",
}
_UPDATE_AGENTS: Final = update_by_id("fleet_agent", _OF_AGENT, ", is_connected = TRUE")
_UPDATE_CAMERAS: Final = update_by_id("fleet_camera", _OF_CAMERA)


@dataclass(frozen=True, slots=True)
class Reported:
    """What an agent, whose row is held, says of itself."""

    agent: Agent
    report: StateReport
    at: datetime


def record_reports(reported: Sequence[Reported]) -> None:
    """Take over what agents report, of each agent once, inside the caller's transaction.

    Their bundles are for `record_bundle`: most of them are known, and reports are many.
    """
    at = {each.agent.organization_id: each.at for each in reported}
    agents: dict[UUID, Row] = {}
    with_news = set[UUID]()
    for each in reported:
        agent, report = each.agent, each.report
        problems = [clean_text(problem) for problem in report.problems]
        found = sorted((_found(camera) for camera in report.found), key=itemgetter("address"))
        if (problems, found, True) != (agent.problems, agent.found_cameras, agent.is_connected):
            with_news.add(agent.organization_id)
        agent.problems, agent.found_cameras = problems, found
        agents[agent.id] = (
            agent.id.hex,
            _json(problems),
            _json(found),
            min(report.desired_version, agent.desired_version),
            min(sum(lane.n_pending for lane in report.lanes), _LARGEST),
            each.at,
        )
    write_rows(
        _UPDATE_AGENTS, ("uuid", *_OF_AGENT.values()), [agents[key] for key in sorted(agents)]
    )
    for organization_id in sorted(with_news):
        record_change(organization_id, "agents", at=at[organization_id])
    for organization_id in sorted(_record_cameras(reported)):
        record_change(organization_id, "cameras", at=at[organization_id])


def record_bundle(agent: Agent, state: BundleState, *, at: datetime) -> Bundle:
    """Return the row of a bundle; who reports its labels first has named it for good."""
    named = {
        "name": clean_text(state.name),
        "version": clean_text(state.version),
        "labels": [clean_text(label) for label in state.labels],
    }
    bundle, is_new = Bundle.objects.get_or_create(
        organization_id=agent.organization_id,
        digest=state.digest.hex(),
        defaults={**named, "first_seen_at": at},
    )
    if not is_new and not bundle.labels and named["labels"]:
        Bundle.objects.filter(pk=bundle.pk).update(**named)
        bundle.refresh_from_db()
    return bundle


def know_bundle(agent: Agent, digest: bytes, *, at: datetime) -> Bundle:
    """Return the row of a bundle whose results are here before its name is."""
    bundle, _ = Bundle.objects.get_or_create(
        organization_id=agent.organization_id,
        digest=digest.hex(),
        defaults={"name": f"bundle {digest.hex()[:8]}", "version": "", "first_seen_at": at},
    )
    return bundle


def _record_cameras(reported: Iterable[Reported]) -> set[UUID]:
    """Write what is reported of agents' cameras; return where one is in another state."""
    states = {
        (each.agent.id, state.camera_id): (state, each.at)
        for each in reported
        for state in each.report.cameras
    }
    if not states:
        return set()
    known = Camera.objects.filter(
        agent__in=any_of({agent_id for agent_id, _ in states}),
        pk__in=any_of({camera_id for _, camera_id in states}),
    ).values_list("id", "agent_id", "organization_id", "state", "state_reason")
    rows, with_news = list[Row](), set[UUID]()
    for camera_id, agent_id, organization_id, was, was_because in known.order_by("id"):
        if (said := states.get((agent_id, camera_id))) is None:
            continue
        row = _row(*said)
        rows.append((camera_id.hex, *row))
        if row[:2] != (was, was_because):
            with_news.add(organization_id)
    write_rows(_UPDATE_CAMERAS, ("uuid", *_OF_CAMERA.values()), rows)
    return with_news


def _row(state: CameraState, at: datetime) -> Row:
    """Return what `_OF_CAMERA` names."""
    return (
        state.state,
        clean_text(state.reason),
        _sane(state.since_at, at=at),
        float(state.fps) if isfinite(state.fps) else 0.0,
        *(min(n, _LARGEST) for n in (state.n_frames, state.n_dropped, state.width, state.height)),
        min(state.n_gated, _LARGEST),
        _image(state.image),
    )


def _sane(since_at: datetime, *, at: datetime) -> datetime:
    is_sane = at - _LONGEST_STATE <= since_at <= at
    return since_at.astimezone(UTC) if is_sane else at


def _found(camera: FoundCamera) -> dict[str, str]:
    return {name: clean_text(getattr(camera, name)) for name in camera.__struct_fields__}


def _image(image: ImageState | None) -> str | None:
    """Return the figures as JSON, which knows no infinity; None when there are none to trust."""
    if image is None:
        return None
    figures = {name: float(getattr(image, name)) for name in _FIGURES}
    if not all(isfinite(figure) for figure in figures.values()):
        return None
    return _json(figures | ({"tampered": clean_text(image.tampered)} if image.tampered else {}))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
