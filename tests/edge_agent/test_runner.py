"""A camera's parts together: pieces, rules, settings, pictures, privacy, clips, embeddings."""

import queue
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from msgspec.structs import replace

from edge_agent import watch as watch_module
from edge_agent.backlog import Entry  # noqa: TC001  # at run time a reader looks for it here
from edge_agent.capture import Surroundings
from edge_agent.clips.shelf import ClipShelf
from edge_agent.clock import utc_now
from edge_agent.health import Health
from edge_agent.live import LiveDesk
from edge_agent.reconcile import Start, Stop, Tune
from edge_agent.watch import Network, Watch
from processing.inference.detector import Detector, Embedding, InferenceFailed
from processing.inference.fake import FakeEngine
from processing.media.jpeg import decode_jpeg
from processing.tracking.ids import track_ids
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.wire.camera import (
    ClipPolicy,
    DesiredCamera,
    Privacy,
    Region,
    SamplePolicy,
    Tiling,
)
from processing.wire.messages import (
    EventRaised,
    LiveDemand,
    LivePicture,
    LiveView,
    Result,
    SampleOffered,
    Thumbnail,
)
from processing.wire.packed import unpack
from processing.wire.scene import InZone, Rule, Scene, Zone
from tests.edge_agent.entries import BUNDLE, wait_until
from tests.processing.pipeline.made_scenes import frame_of

CAMERA_ID = UUID(int=1)
LABELS = ("person", "car")
OTHER = b"n" * 16
EVERYWHERE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
YARD = Zone(zone_id=UUID(int=2), name="Yard", polygon=EVERYWHERE)
SCENE = Scene(
    zones=(YARD,),
    rules=(Rule(rule_id=UUID(int=3), name="In the yard", condition=InZone(zone_id=YARD.zone_id)),),
)
NO_SAMPLES = SamplePolicy(random_share=0.0, low_score=0.0, high_score=0.0)
CAMERA = DesiredCamera(
    camera_id=CAMERA_ID, name="Gate", source="played:", analysed_fps=120.0, samples=NO_SAMPLES
)
WIDTH, HEIGHT, WHITE = 128, 96, 235
PIECES = Tiling(columns=2, rows=2)
N_PIECES = 5


def person(score: float = 0.9) -> Detections:
    box = np.array([[20, 20, 60, 90]], np.float32)
    return Detections(box, np.array([score], np.float32), np.array([0], np.int32))


class Played:
    """A `Feed` of frames that a test hands in; the same one however often it is opened."""

    def __init__(self) -> None:
        self.frames_to_come: queue.SimpleQueue[Frame] = queue.SimpleQueue()

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        while not stop.is_set():
            try:
                yield self.frames_to_come.get(timeout=0.01)
            except queue.Empty:
                continue


class Stage:
    """A watch with one camera, and what comes out of it."""

    def __init__(self, engine: Detector, camera: DesiredCamera, folder: Path) -> None:
        self.entries: list[Entry] = []
        self.health = Health(utc_now)
        self.live = LiveDesk()
        self.feed = Played()
        self._began_at = utc_now()
        self._n_shown = 0
        self.watch = Watch(
            Network(engine, BUNDLE, LABELS),
            around=Surroundings(
                lambda _camera, _tap: self.feed,
                self.health,
                self.entries.append,
                utc_now,
                lambda: 0.5,
            ),
            health=self.health,
            live=self.live,
            append=self.entries.append,
            ids=track_ids(1),
            shelf=ClipShelf(folder, max_mb=100, max_days=1.0, min_free_mb=0),
        )
        self.watch.apply(Start(camera))

    def hand_in(self, *, step_s: float = 0.5) -> None:
        """Let the camera take a white picture, so many seconds after the last."""
        at = self._began_at + timedelta(seconds=self._n_shown * step_s)
        self._n_shown += 1
        self.feed.frames_to_come.put(frame_of(np.full((HEIGHT, WIDTH), WHITE, np.uint8), at))

    def show(self, n: int = 1, *, step_s: float = 0.5) -> None:
        """Show so many frames, one after another's result."""
        for _ in range(n):
            n_before = len(self.results)
            self.hand_in(step_s=step_s)
            wait_until(lambda n_before=n_before: len(self.results) > n_before)  # type: ignore[misc]

    @property
    def results(self) -> list[Result]:
        return [entry for entry in tuple(self.entries) if isinstance(entry, Result)]

    @property
    def phases(self) -> list[str]:
        words = [entry for entry in tuple(self.entries) if isinstance(entry, EventRaised)]
        return [word.phase for word in words if word.rule_id is not None]


MakeStage = Callable[..., Stage]


@pytest.fixture
def make_stage(tmp_path: Path) -> Iterator[MakeStage]:
    stages: list[Stage] = []

    def make(engine: Detector, camera: DesiredCamera = CAMERA) -> Stage:
        stages.append(Stage(engine, camera, tmp_path / "clips"))
        return stages[-1]

    yield make
    for stage in stages:
        stage.watch.close()


# ---------------------------------------------------------------- pieces


def test_a_frame_in_pieces_is_answered_once_as_a_whole(make_stage: MakeStage) -> None:
    engine = FakeEngine([person()] + [Detections.empty()] * (N_PIECES - 1))
    stage = make_stage(engine, replace(CAMERA, tiling=PIECES))
    stage.show()
    assert len(engine.frames) == N_PIECES
    assert len(stage.results) == 1
    assert len(list(unpack(stage.results[0].detections))) == 1


def test_pieces_wait_while_the_engine_is_busy(make_stage: MakeStage) -> None:
    engine = FakeEngine(n_requests=2)
    engine.hold()
    stage = make_stage(engine, replace(CAMERA, tiling=PIECES))
    stage.hand_in()
    wait_until(lambda: len(engine.frames) == 2)
    assert not stage.results
    engine.release()
    wait_until(lambda: len(engine.frames) == N_PIECES)
    wait_until(lambda: stage.results)
    assert len(stage.results) == 1


def test_all_pieces_of_a_frame_are_judged_by_one_network(make_stage: MakeStage) -> None:
    first, second = FakeEngine(n_requests=2), FakeEngine()
    first.hold()
    stage = make_stage(first, replace(CAMERA, tiling=PIECES))
    stage.hand_in()
    wait_until(lambda: len(first.frames) == 2)
    stage.watch.change_network(Network(second, OTHER, LABELS))
    first.release()
    wait_until(lambda: stage.results)
    stage.show()
    assert [result.bundle for result in stage.results] == [BUNDLE, OTHER]
    assert (len(first.frames), len(second.frames)) == (N_PIECES, N_PIECES)
    wait_until(lambda: first._is_closed)


def test_a_camera_that_stops_between_pieces_leaves_nothing_behind(make_stage: MakeStage) -> None:
    engine = FakeEngine(n_requests=2)
    engine.hold()
    stage = make_stage(engine, replace(CAMERA, tiling=PIECES))
    stage.hand_in()
    wait_until(lambda: len(engine.frames) == 2)
    stage.watch.apply(Stop(CAMERA_ID))
    stage.watch.change_network(Network(FakeEngine(), OTHER, LABELS))
    engine.release()
    wait_until(lambda: engine._is_closed)  # nothing of it is waited for any more
    assert len(engine.frames) == 2
    assert not stage.results


def test_pieces_that_a_hanging_network_never_takes_do_not_stop_the_cameras(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "_PATIENCE_S", 0.1)
    hung = FakeEngine(n_requests=2)
    hung.hold()
    stage = make_stage(hung, replace(CAMERA, tiling=PIECES))
    stage.hand_in()
    wait_until(lambda: len(hung.frames) == 2)
    stage.watch.change_network(Network(FakeEngine(), OTHER, LABELS))
    wait_until(lambda: hung._is_closed)
    stage.show()
    assert [result.bundle for result in stage.results] == [OTHER]


# ---------------------------------------------------------------- rules and settings


def test_an_event_begins_has_a_picture_and_ends_when_the_camera_stops(
    make_stage: MakeStage,
) -> None:
    stage = make_stage(FakeEngine([person()] * 100), replace(CAMERA, scene=SCENE))
    stage.show(4)
    assert stage.phases == ["start"]
    stage.watch.apply(Stop(CAMERA_ID))
    wait_until(lambda: stage.phases == ["start", "end"])
    wait_until(lambda: any(isinstance(entry, Thumbnail) for entry in tuple(stage.entries)))


def test_closing_the_watch_ends_what_runs(make_stage: MakeStage) -> None:
    stage = make_stage(FakeEngine([person()] * 100), replace(CAMERA, scene=SCENE))
    stage.show(4)
    stage.watch.close()
    assert stage.phases == ["start", "end"]
    stage.watch.close = lambda: None  # type: ignore[method-assign]  # the fixture's turn is over


def test_a_rule_that_is_removed_ends_its_event_and_the_others_go_on(
    make_stage: MakeStage,
) -> None:
    other = replace(SCENE.rules[0], rule_id=UUID(int=4), name="Another")
    both = replace(SCENE, rules=(*SCENE.rules, other))
    stage = make_stage(FakeEngine([person()] * 100), replace(CAMERA, scene=both))
    stage.show(3)
    stage.watch.apply(Tune(replace(CAMERA, scene=SCENE)))
    stage.show(3)
    assert stage.phases == ["start", "start", "end"]
    ended = [e for e in stage.entries if isinstance(e, EventRaised) and e.phase == "end"]
    assert [word.rule_id for word in ended] == [other.rule_id]


# ---------------------------------------------------------------- privacy


def lightest(jpeg: bytes) -> int:
    """Return how bright a JPEG is where it is brightest; the frames are white."""
    return int(decode_jpeg(jpeg).max())


def test_nothing_leaves_uncovered(make_stage: MakeStage) -> None:
    hidden = replace(
        CAMERA,
        scene=SCENE,
        privacy=Privacy(zones=(EVERYWHERE,)),
        samples=SamplePolicy(random_share=1.0, every_s=1.0),
    )
    stage = make_stage(FakeEngine([person()] * 100), hidden)
    view = LiveView(camera_id=CAMERA_ID, max_fps=30.0)
    stage.live.demand(LiveDemand(views=(view,), expires_s=60))
    stage.show(8)
    kinds = (SampleOffered, Thumbnail)
    wait_until(
        lambda: (
            {type(each) for each in tuple(stage.entries) if isinstance(each, kinds)} == set(kinds)
        )
    )
    wait_until(lambda: stage.live._newest)
    live = stage.live.take()
    assert isinstance(live, LivePicture)
    kept = [each for each in tuple(stage.entries) if isinstance(each, kinds)]
    assert max(lightest(each.jpeg) for each in (live, *kept)) < 160


def test_a_region_that_grows_shows_nothing_that_was_not_looked_at(make_stage: MakeStage) -> None:
    engine = FakeEngine()
    engine.hold()
    left = replace(
        CAMERA,
        region=Region(right=0.5),
        privacy=Privacy(hides_faces=True),
        samples=SamplePolicy(random_share=1.0, every_s=0.1),
    )
    stage = make_stage(engine, left)
    stage.hand_in()
    wait_until(lambda: engine.frames)
    stage.watch.apply(Tune(replace(left, region=Region())))
    engine.release()
    wait_until(lambda: any(isinstance(each, SampleOffered) for each in tuple(stage.entries)))
    sample = next(each for each in stage.entries if isinstance(each, SampleOffered))
    shown = decode_jpeg(sample.jpeg)
    assert shown[:, : WIDTH // 2 - 8].min() > 200
    assert shown[:, WIDTH // 2 + 8 :].max() < 160


# ---------------------------------------------------------------- embeddings


def features_of(stage: Stage) -> list[bytes]:
    return [result.features.embedding for result in stage.results if result.features is not None]


def test_an_embedding_comes_with_a_later_result(make_stage: MakeStage) -> None:
    stage = make_stage(FakeEngine())
    stage.show(step_s=11)
    wait_until(lambda: _has_embedding(stage))
    stage.show(step_s=11)
    first, second = features_of(stage)
    assert first == b""
    assert len(second) == 3 * 2  # three float16, of this engine
    assert sum(result.features is not None for result in stage.results) == 2


def test_an_embedding_of_another_network_is_not_told(make_stage: MakeStage) -> None:
    stage = make_stage(FakeEngine())
    stage.show(step_s=11)
    wait_until(lambda: _has_embedding(stage))
    stage.watch.change_network(Network(FakeEngine(), OTHER, LABELS))
    stage.show(step_s=11)
    assert stage.results[-1].bundle == OTHER
    assert features_of(stage) == [b"", b""]


def test_a_sample_has_the_embedding_of_what_may_be_seen_of_it(make_stage: MakeStage) -> None:
    sampled = SamplePolicy(random_share=1.0, every_s=0.1)
    engine = FakeEngine()
    stage = make_stage(
        engine, replace(CAMERA, samples=sampled, privacy=Privacy(zones=(EVERYWHERE,)))
    )
    stage.show()
    wait_until(lambda: samples_of(stage))
    embedding = np.frombuffer(samples_of(stage)[0].embedding, "<f2")
    assert len(embedding) == 3
    assert embedding.tolist() != engine.embed(engine.frames[0]).tolist()


def test_a_sample_of_a_network_without_embeddings_comes_without(make_stage: MakeStage) -> None:
    sampled = SamplePolicy(random_share=1.0, every_s=0.1)
    stage = make_stage(UnmovedEngine(), replace(CAMERA, samples=sampled))
    stage.show()
    wait_until(lambda: samples_of(stage))
    assert samples_of(stage)[0].embedding == b""


class UnmovedEngine(FakeEngine):
    """Has no embeddings to give."""

    def embed(self, frame: Frame) -> Embedding:
        raise InferenceFailed("none")


def samples_of(stage: Stage) -> list[SampleOffered]:
    return [each for each in tuple(stage.entries) if isinstance(each, SampleOffered)]


def _has_embedding(stage: Stage) -> bool:
    return stage.watch._runners[CAMERA_ID]._embedding is not None


# ---------------------------------------------------------------- clips


def clip_threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == f"clips {CAMERA_ID}"]


def test_a_camera_that_is_stopped_takes_its_recorder_along(make_stage: MakeStage) -> None:
    stage = make_stage(FakeEngine(), replace(CAMERA, clips=ClipPolicy(is_on=True)))
    stage.show()
    assert len(clip_threads()) == 1
    stage.watch.apply(Stop(CAMERA_ID))
    wait_until(lambda: not clip_threads())
