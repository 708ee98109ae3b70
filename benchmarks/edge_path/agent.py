"""The agent's own path: capture, engine, tracker, outbox; without a hub, so that nothing leaves."""

import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

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
from processing.wire.messages import DesiredCamera, Result, SamplePolicy

_OUTBOX_BYTES: Final = 256 * 1024 * 1024


class HealthWithExit(Health):
    """Lets the next frame in also when one was dropped on its way."""

    def __init__(self, on_dropped: Callable[[UUID], None]) -> None:
        super().__init__(utc_now)
        self._on_dropped = on_dropped

    def frame_dropped(self, camera_id: UUID, reason: str) -> None:
        super().frame_dropped(camera_id, reason)
        self._on_dropped(camera_id)


@dataclass
class Tally:
    """What came out of the path."""

    n_results: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    by_camera: dict[UUID, int] = field(default_factory=dict)
    on_result: Callable[[UUID], None] = lambda _camera: None
    """Called when a frame of the camera has come out, or was dropped."""

    def note(self, entry: Entry) -> None:
        if isinstance(entry, Result):
            self.n_results += 1
            self.latencies_ms.append(entry.latency_ms)
            self.by_camera[entry.camera_id] = self.by_camera.get(entry.camera_id, 0) + 1
            self.on_result(entry.camera_id)


@dataclass(frozen=True)
class Rates:
    """Over a stretch of time."""

    per_s: float
    cpu_ms_per_frame: float
    """Of this process, all threads."""


@contextmanager
def watching(
    bundle: Bundle, feeds: Mapping[UUID, Feed], tally: Tally, *, fps: float
) -> Iterator[Health]:
    """Watch one camera a feed inside the block, with everything on that an agent has on."""
    with tempfile.TemporaryDirectory() as folder:
        health = HealthWithExit(tally.on_result)
        outbox = Outbox(
            Path(folder) / "outbox.db", capacity_bytes=_OUTBOX_BYTES, now=utc_now, problems=health
        )

        def append(entry: Entry) -> None:
            outbox.append(entry)
            tally.note(entry)

        around = Surroundings(
            make_feed=lambda address: feeds[UUID(address)],
            health=health,
            raise_event=outbox.append,
            now=utc_now,
            dice=random.random,
        )
        engine = Engine.open(bundle)
        network = Network(engine, bundle.digest, bundle.manifest.labels)
        watch = Watch(
            network, around=around, health=health, live=LiveDesk(), append=append, ids=track_ids()
        )
        for camera_id in feeds:
            watch.apply(Start(_camera(camera_id, fps)))
        try:
            yield health
        finally:
            watch.close()
            outbox.close()


def rates_of(tally: Tally, *, warm_up_s: float, seconds: float) -> Rates:
    """Return the rates over the next `seconds`, after a warm-up."""
    time.sleep(warm_up_s)
    n_before, cpu_before, begun = tally.n_results, time.process_time(), time.perf_counter()
    tally.latencies_ms.clear()
    tally.by_camera.clear()
    time.sleep(seconds)
    n, cpu_s = tally.n_results - n_before, time.process_time() - cpu_before
    return Rates(n / (time.perf_counter() - begun), 1000.0 * cpu_s / max(n, 1))


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


def _camera(camera_id: UUID, fps: float) -> DesiredCamera:
    return DesiredCamera(
        camera_id=camera_id,
        name=str(camera_id),
        source=str(camera_id),
        analysed_fps=fps,
        samples=SamplePolicy(every_s=8.0),
    )
