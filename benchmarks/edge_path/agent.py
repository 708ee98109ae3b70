"""The agent's own path: capture, engine, tracker, outbox; without a hub, so that nothing leaves."""

import random
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

from msgspec.structs import replace

from benchmarks.edge_path.stages import cpu_s_by_stage
from edge_agent.backlog import Entry
from edge_agent.capture import Surroundings
from edge_agent.clock import utc_now
from edge_agent.health import Health
from edge_agent.live import LiveDesk
from edge_agent.outbox import Outbox
from edge_agent.reconcile import Start
from edge_agent.sources.feed import Feed
from edge_agent.watch import Network, Watch
from processing.inference.bundle import Bundle
from processing.inference.engine import Engine
from processing.tracking.ids import track_ids
from processing.wire.camera import DesiredCamera, MotionGate, SamplePolicy
from processing.wire.messages import Result
from processing.wire.scene import Crossed, InZone, Line, Rule, Scene, Zone

_OUTBOX_BYTES: Final = 256 * 1024 * 1024
_ZONE: Final = Zone(
    zone_id=uuid4(), name="Street", polygon=((0.1, 0.4), (0.9, 0.4), (1.0, 1.0), (0.0, 1.0))
)
_LINE: Final = Line(line_id=uuid4(), name="Kerb", start=(0.0, 0.6), end=(1.0, 0.6))
_SCENE: Final = Scene(
    zones=(_ZONE,),
    lines=(_LINE,),
    rules=(
        Rule(
            rule_id=uuid4(),
            name="Somebody stays in the street",
            condition=InZone(zone_id=_ZONE.zone_id, after_s=10.0),
            labels=("person",),
        ),
        Rule(
            rule_id=uuid4(),
            name="Over the kerb",
            condition=Crossed(line_id=_LINE.line_id),
            severity="info",
        ),
    ),
)


@dataclass
class Tally:
    """What came out of the path."""

    n_results: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    by_camera: dict[UUID, int] = field(default_factory=dict)

    def note(self, entry: Entry) -> None:
        if isinstance(entry, Result):
            self.n_results += 1
            self.latencies_ms.append(entry.latency_ms)
            self.by_camera[entry.camera_id] = self.by_camera.get(entry.camera_id, 0) + 1


@dataclass(frozen=True)
class Rates:
    """Over a stretch of time."""

    per_s: float
    cpu_ms_per_frame: float
    """Of this process, all threads."""
    cpu_ms_by_stage: dict[str, float]
    """Per frame."""


@contextmanager
def watching(
    bundle: Bundle,
    feeds: Mapping[UUID, Feed],
    tally: Tally,
    *,
    camera: DesiredCamera,
    patient: bool,
) -> Iterator[Health]:
    """Watch one camera a feed inside the block, with everything on that an agent has on.

    All are as `camera` but for their number; patient ones are as fast as the engine.
    """
    with tempfile.TemporaryDirectory() as folder:
        health = Health(utc_now)
        outbox = Outbox(
            Path(folder) / "outbox.db", capacity_bytes=_OUTBOX_BYTES, now=utc_now, problems=health
        )

        def append(entry: Entry) -> None:
            outbox.append(entry)
            tally.note(entry)

        around = Surroundings(
            make_feed=lambda camera, _tap: feeds[camera.camera_id],
            health=health,
            raise_event=outbox.append,
            now=utc_now,
            dice=random.random,
        )
        engine = Engine.open(bundle)
        network = Network(engine, bundle.digest, bundle.manifest.labels)
        watch = Watch(
            network,
            around=around,
            health=health,
            live=LiveDesk(),
            append=append,
            ids=track_ids(),
            is_patient=patient,
        )
        for camera_id in feeds:
            watch.apply(Start(replace(camera, camera_id=camera_id, name=str(camera_id))))
        try:
            yield health
        finally:
            watch.close()
            outbox.close()


def rates_of(tally: Tally, *, warm_up_s: float, seconds: float) -> Rates:
    """Return the rates over the next `seconds`, after a warm-up."""
    time.sleep(warm_up_s)
    n_before, cpu_before, begun = tally.n_results, time.process_time(), time.perf_counter()
    stages_before = cpu_s_by_stage()
    tally.latencies_ms.clear()
    tally.by_camera.clear()
    time.sleep(seconds)
    n, cpu_s = tally.n_results - n_before, time.process_time() - cpu_before
    stages = cpu_s_by_stage()
    return Rates(
        n / (time.perf_counter() - begun),
        1000.0 * cpu_s / max(n, 1),
        {
            stage: 1000.0 * (spent - stages_before.get(stage, 0.0)) / max(n, 1)
            for stage, spent in stages.items()
        },
    )


def locked_per_s(bundle: Bundle, feed: Feed, *, seconds: float) -> float:
    """Return frames per second of the common way: one request, one lock, wait for each."""
    engine = Engine.open(bundle, mode="latency", n_requests=1)
    stop, lock = threading.Event(), threading.Lock()
    counts = [0]

    def work() -> None:
        for frame in feed.frames(stop):
            with lock:
                engine.detect(frame)
                counts[0] += 1

    thread = threading.Thread(target=work)
    begun = time.perf_counter()
    thread.start()
    time.sleep(seconds)
    stop.set()
    thread.join()
    per_s = counts[0] / (time.perf_counter() - begun)
    engine.close()
    return per_s


def new_cameras(n: int) -> list[UUID]:
    return [uuid4() for _ in range(n)]


def a_camera(*, fps: float, is_gated: bool = False) -> DesiredCamera:
    """Return a camera's settings, with what most have: a zone, a line, and rules for both."""
    return DesiredCamera(
        camera_id=uuid4(),
        name="bench",
        source="bench",
        analysed_fps=fps,
        samples=SamplePolicy(every_s=8.0),
        gate=MotionGate(is_on=is_gated),
        scene=_SCENE,
    )
