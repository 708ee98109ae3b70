"""An engine that can take half of a camera's frames; a tier that takes the rest, dies, is back."""

import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from edge_agent.backlog import Entry  # noqa: TC001  # at run time a reader looks for it here
from edge_agent.capture import Surroundings
from edge_agent.clock import utc_now
from edge_agent.health import Health
from edge_agent.live import LiveDesk
from edge_agent.overflow.access import AccessDesk
from edge_agent.overflow.book import Book
from edge_agent.overflow.cloud import TierCloud
from edge_agent.reconcile import Start, Stop
from edge_agent.sources.synthetic import SyntheticFeed
from edge_agent.watch import Network, Watch
from processing.inference.detector import Embedding, OnDone
from processing.tracking.ids import track_ids
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.wire.camera import DesiredCamera, OverflowPolicy, SamplePolicy
from processing.wire.messages import (
    Result,
)
from processing.wire.overflow import OverflowState
from processing.wire.packed import unpack
from tests.edge_agent.entries import BUNDLE, wait_until
from tests.edge_agent.overflow.fake_tier import BOX, VERSION, FakeTier
from tests.ports import free_port

CLOUD = bytes.fromhex(VERSION)
CAMERA_ID = UUID(int=1)
FPS = 25.0
WIDTH, HEIGHT = 128, 96


class SlowEngine:
    """A `Detector` that sees the fake tier's person, in twice the time there is for a frame."""

    device = "SLOW"

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[OnDone | None] = queue.SimpleQueue()
        self._is_busy = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def detect(self, frame: Frame) -> Detections:
        box = np.array([BOX], np.float32) * np.array([WIDTH, HEIGHT] * 2, np.float32)
        return Detections(box, np.array([0.9], np.float32), np.array([0], np.int32))

    def embed(self, frame: Frame) -> Embedding | None:
        return None

    def submit(self, frame: Frame, on_done: OnDone) -> bool:
        if self._is_busy.is_set():
            return False
        self._is_busy.set()
        self._work.put(lambda _: on_done(self.detect(frame)))
        return True

    def wait(self) -> None:
        wait_until(lambda: not self._is_busy.is_set())

    def close(self) -> None:
        self._work.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            time.sleep(2.0 / FPS)
            self._is_busy.clear()
            work(Detections.empty())


class CountedFeed:
    """A `Feed` that knows how many frames were taken of it."""

    def __init__(self) -> None:
        self.n_frames = 0
        self._feed = SyntheticFeed(now=utc_now, fps=FPS, width=WIDTH, height=HEIGHT)

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        for frame in self._feed.frames(stop):
            self.n_frames += not stop.is_set()
            yield frame


class Scene:
    """One camera, the slow engine and the tier."""

    def __init__(self, folder: Path) -> None:
        self.tier = FakeTier(free_port())
        self.tier.script.delay_s = 0.03
        self.entries: list[Entry] = []
        self.health = Health(utc_now)
        self.feed = CountedFeed()
        access = AccessDesk("http://127.0.0.1:9")
        access.admit(self.tier.access)
        self.book = Book(folder / "overflow.msgpack", now=utc_now)
        self.cloud = TierCloud(access, self.book, on_report=self.health.overflow_is)
        self.watch = Watch(
            Network(SlowEngine(), BUNDLE, ("person",)),
            around=Surroundings(
                lambda _camera, _tap: self.feed,
                self.health,
                self.entries.append,
                utc_now,
                lambda: 0.5,
            ),
            health=self.health,
            live=LiveDesk(),
            append=self.entries.append,
            ids=track_ids(1),
            cloud=self.cloud,
        )

    def n_of(self, bundle: bytes) -> int:
        return sum(result.bundle == bundle for result in self.results)

    def wait_for_more(self, bundle: bytes, n: int = 10) -> None:
        wanted = self.n_of(bundle) + n
        wait_until(lambda: self.n_of(bundle) >= wanted)

    @property
    def results(self) -> list[Result]:
        return [entry for entry in tuple(self.entries) if isinstance(entry, Result)]

    @property
    def state(self) -> OverflowState:
        self.book.save()
        return self.book.states({})[CAMERA_ID]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    scene.tier.start()
    yield scene
    scene.watch.close()
    scene.cloud.close()
    scene.tier.kill()


def test_every_frame_is_judged_in_order_or_counted_whatever_becomes_of_the_tier(
    scene: Scene,
) -> None:
    scene.watch.apply(
        Start(
            DesiredCamera(
                camera_id=CAMERA_ID,
                name="Gate",
                source="counted:",
                analysed_fps=120.0,
                samples=SamplePolicy(random_share=0.0, low_score=0.0, high_score=0.0),
                overflow=OverflowPolicy(mode="saturated", budget_ms=2000.0),
            )
        )
    )
    scene.wait_for_more(CLOUD, 15)
    n_before = scene.n_of(CLOUD)
    scene.tier.kill()
    scene.wait_for_more(BUNDLE)  # local goes on
    n_meanwhile = scene.n_of(CLOUD) - n_before
    assert n_meanwhile <= 8  # no more than were on their way
    scene.tier.start()
    scene.wait_for_more(CLOUD, 15)

    drops = scene.health.drops  # forgotten with the camera
    counted = drops(CAMERA_ID)
    runner = scene.watch._runners[CAMERA_ID]
    scene.watch.apply(Stop(CAMERA_ID))
    wait_until(runner._ended.is_set)  # all that was under way is told
    assert scene.watch._duty._n_begun.total() == 0

    results = scene.results
    at = [result.captured_at for result in results]
    assert at == sorted(set(at))  # in order, none twice
    tracks = {found.track for result in results[1:] for found in unpack(result.detections)}
    assert tracks == {1}  # unbroken
    assert sum(n for result in results for _, n in result.n_started) == 1
    state = scene.state
    assert (state.n_local, state.n_cloud) == (scene.n_of(BUNDLE), scene.n_of(CLOUD))
    assert state.n_saturated == state.n_cloud + state.n_refused + state.n_late + state.n_failed
    assert state.n_failed >= 1
    assert set(counted) <= {"engine_busy", "cloud_failed", "cloud_late", "cloud_refused"}
    # Every frame is a result or was dropped for a reason; the camera may be cut off with a few.
    n_told = len(results) + counted.total()
    assert scene.feed.n_frames - 20 <= n_told <= scene.feed.n_frames
