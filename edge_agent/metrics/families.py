"""What the agent counts, as figures with names, labels and a sentence each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, get_args
from uuid import UUID

from edge_agent.health import CameraCondition, CameraFigures
from edge_agent.metrics.process import Process
from edge_agent.metrics.text import Family, Kind
from processing.wire.messages import Lane, LaneState

_STATES: Final[tuple[str, ...]] = get_args(CameraCondition)


@dataclass(frozen=True, slots=True)
class EngineFigures:
    """What the network has done."""

    n_inferences: int
    n_failures: int
    devices: Mapping[str, bool]
    """Whether each device that was asked for does its work."""


@dataclass(frozen=True, slots=True)
class OutboxFigures:
    """What waits for the hub, and what never came so far."""

    lanes: tuple[LaneState, ...]
    n_bytes: int
    n_lost: Mapping[Lane, int] = field(default_factory=dict)
    """Entries by lane that became gaps."""
    n_dead_letters: int = 0


@dataclass(frozen=True, slots=True)
class LinkFigures:
    """The connection to the hub."""

    is_up: bool
    n_connections: int
    """How often the hub has said welcome since the agent began."""


def camera_families(
    cameras: tuple[CameraFigures, ...], names: Mapping[UUID, str]
) -> Iterator[Family]:
    """Yield the figures of cameras, by name and id."""
    analysed = Family(
        "farwatch_camera_frames_analysed_total", "counter", "Frames that became a result."
    )
    dropped = Family(
        "farwatch_camera_frames_dropped_total",
        "counter",
        "Frames that were wanted and not looked at, by reason.",
    )
    gated = Family(
        "farwatch_camera_frames_gated_total",
        "counter",
        "Frames in which nothing moved, and which the network was spared.",
    )
    fps = Family("farwatch_camera_fps", "gauge", "Results a second, over the last seconds.")
    state = Family("farwatch_camera_state", "gauge", "1 for the state that the camera is in.")
    latency = Family(
        "farwatch_camera_latency_seconds", "histogram", "From a frame's capture to its result."
    )
    for camera in cameras:
        told = camera.state
        who = {"camera": names.get(told.camera_id, ""), "camera_id": str(told.camera_id)}
        analysed.add(told.n_frames, **who)
        for reason, n in sorted(camera.dropped.items()):
            dropped.add(n, **who, reason=reason)
        gated.add(told.n_gated, **who)
        fps.add(told.fps, **who)
        for name in _STATES:
            state.add(int(name == told.state), **who, state=name)
        latency.add_histogram(camera.latency, **who)
    yield from (analysed, dropped, gated, fps, state, latency)


def overflow_families(
    cameras: tuple[CameraFigures, ...], names: Mapping[UUID, str]
) -> Iterator[Family]:
    """Yield what the cloud did for cameras, and what it cost, as the hub is told it."""
    judged = Family(
        "farwatch_overflow_frames_total",
        "counter",
        "Frames of cameras that may use the cloud, by where they were judged, or why not.",
    )
    sent = Family("farwatch_overflow_sent_bytes_total", "counter", "Of pictures sent to the cloud.")
    cost = Family("farwatch_overflow_cost_total", "counter", "In the hub's currency.")
    used = Family("farwatch_overflow_used", "gauge", "1 while the cloud is used for the camera.")
    for camera in cameras:
        told = camera.state.overflow
        if told is None:
            continue
        camera_id = camera.state.camera_id
        who = {"camera": names.get(camera_id, ""), "camera_id": str(camera_id)}
        for outcome in ("local", "cloud", "refused", "late", "failed", "over_budget"):
            judged.add(getattr(told, f"n_{outcome}"), **who, outcome=outcome)
        sent.add(told.n_bytes, **who)
        cost.add(told.micros / 1e6, **who)
        used.add(int(not told.reason), **who)
    yield from (judged, sent, cost, used)


def engine_families(engine: EngineFigures) -> Iterator[Family]:
    """Yield the figures of the network and its devices."""
    yield _one(
        "farwatch_inferences_total", "counter", "Frames that the network has judged.",
        engine.n_inferences,
    )  # fmt: skip
    yield _one(
        "farwatch_inference_failures_total", "counter", "Frames that it gave no answer to.",
        engine.n_failures,
    )  # fmt: skip
    up = Family("farwatch_device_up", "gauge", "1 if the device does its work.")
    for device, is_up in engine.devices.items():
        up.add(int(is_up), device=device)
    yield up


def outbox_families(outbox: OutboxFigures, at: datetime) -> Iterator[Family]:
    """Yield the figures of what waits for the hub; `at` is now."""
    pending = Family(
        "farwatch_outbox_pending_entries", "gauge", "Entries that the hub has not taken yet."
    )
    age = Family(
        "farwatch_outbox_oldest_age_seconds", "gauge", "Age of the oldest entry that waits, else 0."
    )
    lost = Family(
        "farwatch_outbox_lost_entries", "gauge", "Entries that became gaps in the outbox's file."
    )
    for lane in outbox.lanes:
        pending.add(lane.n_pending, lane=lane.lane)
        age_s = (at - lane.oldest_at).total_seconds() if lane.oldest_at else 0.0
        age.add(max(0.0, age_s), lane=lane.lane)
        lost.add(outbox.n_lost.get(lane.lane, 0), lane=lane.lane)
    yield from (pending, age, lost)
    yield _one("farwatch_outbox_bytes", "gauge", "Bytes of all entries kept.", outbox.n_bytes)
    yield _one(
        "farwatch_outbox_dead_letters", "gauge", "Entries that the hub will never store.",
        outbox.n_dead_letters,
    )  # fmt: skip


def link_families(link: LinkFigures) -> Iterator[Family]:
    """Yield the figures of the connection to the hub."""
    yield _one("farwatch_hub_connected", "gauge", "1 while connected.", int(link.is_up))
    yield _one(
        "farwatch_hub_connections_total", "counter", "Times that the hub said welcome.",
        link.n_connections,
    )  # fmt: skip


def clip_families(n_bytes: int) -> Iterator[Family]:
    """Yield the figure of clips on this machine's disk."""
    yield _one("farwatch_clips_bytes", "gauge", "Bytes of the clips that are kept.", n_bytes)


def agent_families(*, software: str, n_problems: int) -> Iterator[Family]:
    """Yield which agent this is, and whether it has anything to complain of."""
    info = Family("farwatch_agent_info", "gauge", "1; the label says which version runs.")
    info.add(1, software=software)
    yield info
    yield _one(
        "farwatch_problems", "gauge", "Things that are wrong; the hub says which.", n_problems
    )


def process_families(process: Process) -> Iterator[Family]:
    """Yield the figures of this process, under the names that all of Prometheus' clients use."""
    yield _one(
        "process_cpu_seconds_total", "counter", "CPU time in user and system mode.", process.cpu_s
    )
    yield _one(
        "process_resident_memory_bytes", "gauge", "Memory that is in RAM.", process.resident_bytes
    )
    yield _one("process_open_fds", "gauge", "Open file descriptors.", process.n_open_fds)
    yield _one("process_threads", "gauge", "Threads.", process.n_threads)


def _one(name: str, kind: Kind, text: str, value: float) -> Family:
    family = Family(name, kind, text)
    family.add(value)
    return family
