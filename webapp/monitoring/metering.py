"""Agents' counts of what was judged where, into hours, inside the transaction of their reports.

Counts never fall while `since_at` stays, so what is added is the difference to the report before:
a report that comes twice, or an agent that starts again, adds nothing twice. The caller holds the
rows of the agents, and a camera has one agent, so nobody else writes these rows meanwhile.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from processing.wire.messages import (
    StateReport,
)
from processing.wire.overflow import OverflowState
from webapp.common.rows import Kind, Row, any_of, write_rows
from webapp.common.text import clean_text
from webapp.fleet.models import Agent
from webapp.monitoring.models import OverflowMeter

FIGURES: Final = (
    "n_local", "n_cloud", "n_saturated", "n_doubtful", "n_always", "n_refused", "n_late",
    "n_failed", "n_over_budget", "n_unknown", "n_bytes", "micros",
)  # fmt: skip
_MOST: Final = 10**13
"""No camera does more between two reports; a column holds a million times that."""

_METER_KINDS: Final[tuple[Kind, ...]] = (
    "uuid", "uuid", "timestamptz", "jsonb", "text", "timestamptz",
)  # fmt: skip
_WRITE_METER: Final = (
    "INSERT INTO monitoring_overflowmeter"
    " (camera_id, organization_id, since_at, counts, reason, reported_at) {rows}"
    " ON CONFLICT (camera_id) DO UPDATE SET since_at = excluded.since_at,"
    " counts = excluded.counts, reason = excluded.reason, reported_at = excluded.reported_at"
)
_HOUR_KINDS: Final[tuple[Kind, ...]] = ("uuid", "timestamptz", "uuid") + ("int8",) * len(FIGURES)
_ADDED: Final = ", ".join(
    f"{name} = monitoring_overflowhour.{name} + excluded.{name}" for name in FIGURES
)
_ADD_HOUR: Final = (
    "INSERT INTO monitoring_overflowhour"
    f" (camera_id, begins_at, organization_id, {', '.join(FIGURES)}) {{rows}}"
    f" ON CONFLICT (camera_id, begins_at) DO UPDATE SET {_ADDED}"
)


@dataclass(frozen=True, slots=True)
class Metered:
    """What an agent has counted of one camera, as it says at an instant of the hub's clock."""

    organization_id: UUID
    camera_id: UUID
    state: OverflowState
    at: datetime


def metered_in(
    agent: Agent, report: StateReport, known: Container[int], *, at: datetime
) -> Iterator[Metered]:
    """Yield what a report says of the agent's own cameras; of most it says nothing."""
    for camera in report.cameras:
        if camera.overflow is not None and camera.camera_id.int in known:
            yield Metered(agent.organization_id, camera.camera_id, camera.overflow, at)


def fold_overflow(metered: Iterable[Metered]) -> None:
    """Add what is new to the cameras' hours, and remember what was said."""
    newest = {each.camera_id: each for each in metered}
    if not newest:
        return
    meters = {
        meter.camera_id: meter
        for meter in OverflowMeter.objects.filter(camera__in=any_of(newest.keys()))
    }
    meter_rows: list[Row] = []
    hour_rows: list[Row] = []
    for camera_id, each in sorted(newest.items()):
        counts = {name: int(getattr(each.state, name)) for name in FIGURES}
        reason, meter = clean_text(each.state.reason), meters.get(camera_id)
        since_at = each.state.since_at.astimezone(UTC)
        before = meter.counts if meter is not None and meter.since_at == since_at else {}
        added = _added(counts, before)
        if meter is not None and not any(added) and (before, reason) == (counts, meter.reason):
            continue
        whose = camera_id.hex, each.organization_id.hex
        told = msgspec.json.encode(_greatest(counts, before)).decode()
        meter_rows.append((*whose, since_at, told, reason, each.at))
        if any(added):
            begins_at = each.at.replace(minute=0, second=0, microsecond=0)
            hour_rows.append((whose[0], begins_at, whose[1], *added))
    write_rows(_WRITE_METER, _METER_KINDS, meter_rows)
    write_rows(_ADD_HOUR, _HOUR_KINDS, hour_rows)


def _added(counts: Mapping[str, int], before: Mapping[str, int]) -> list[int]:
    return [min(max(0, counts[name] - before.get(name, 0)), _MOST) for name in FIGURES]


def _greatest(counts: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    """Return the counts to measure the next ones against: none of them falls."""
    return {name: max(n, before.get(name, 0)) for name, n in counts.items()}
