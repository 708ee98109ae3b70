"""The reported side of desired/reported: what agents say of themselves."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import isfinite

from processing.wire.messages import BundleState, CameraState, StateReport
from webapp.common.changes import record_change
from webapp.common.text import clean_text
from webapp.fleet.models import Agent, Bundle, Camera

_LARGEST = 2**31 - 1
_LONGEST_STATE = timedelta(days=3650)
_REPORTED = (
    "state", "state_reason", "state_since_at", "fps", "n_frames", "n_dropped", "width", "height",
)  # fmt: skip


def record_report(agent: Agent, report: StateReport, *, at: datetime) -> None:
    """Take over what the agent reports, inside the caller's transaction, which holds its row."""
    problems = [clean_text(problem) for problem in report.problems]
    is_news = problems != agent.problems or not agent.is_connected
    agent.problems = problems
    agent.reported_version = min(report.desired_version, agent.desired_version)
    agent.n_pending = min(sum(lane.n_pending for lane in report.lanes), _LARGEST)
    agent.last_seen_at = at
    agent.is_connected = True
    agent.save(
        update_fields=("problems", "reported_version", "n_pending", "last_seen_at", "is_connected")
    )
    if is_news:
        record_change(agent.organization_id, "agents", at=at)
    if _record_cameras(agent, report.cameras, at=at):
        record_change(agent.organization_id, "cameras", at=at)
    for state in report.bundles:
        record_bundle(agent, state, at=at)


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


def _record_cameras(agent: Agent, states: Iterable[CameraState], *, at: datetime) -> bool:
    """Write what is reported of the agent's cameras; return whether one is in another state."""
    reported = {state.camera_id: state for state in states}
    cameras = list(Camera.objects.filter(agent=agent, pk__in=reported))
    is_news = False
    for camera in cameras:
        state = reported[camera.pk]
        reason = clean_text(state.reason)
        is_news = is_news or (camera.state, camera.state_reason) != (state.state, reason)
        camera.state = state.state
        camera.state_reason = reason
        camera.state_since_at = _sane(state.since_at, at=at)
        camera.fps = state.fps if isfinite(state.fps) else 0.0
        camera.n_frames = min(state.n_frames, _LARGEST)
        camera.n_dropped = min(state.n_dropped, _LARGEST)
        camera.width = min(state.width, _LARGEST)
        camera.height = min(state.height, _LARGEST)
    Camera.objects.bulk_update(cameras, _REPORTED)
    return is_news


def _sane(since_at: datetime, *, at: datetime) -> datetime:
    return since_at if at - _LONGEST_STATE <= since_at <= at else at
