"""Frames that the cloud judges, among those that the agent judges: in order, each once."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
import pytest
from msgspec.structs import replace

from edge_agent.backlog import Entry  # noqa: TC001  # at run time a reader looks for it here
from edge_agent.capture import Surroundings
from edge_agent.clock import utc_now
from edge_agent.health import Health
from edge_agent.live import LiveDesk
from edge_agent.overflow.errand import Answered, Errand, Tongue, TurnedAway, Verdict
from edge_agent.reconcile import Start, Stop, Tune
from edge_agent.watch import Network, Watch
from processing.inference.fake import FakeEngine
from processing.tracking.ids import track_ids
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.wire.camera import DesiredCamera, OverflowPolicy, SamplePolicy
from processing.wire.messages import Disagreement, Result, SampleOffered
from processing.wire.packed import unpack
from tests.edge_agent.entries import BUNDLE, wait_until
from tests.processing.pipeline.made_scenes import frame_of

CLOUD = b"c" * 16
LABELS = ("person", "car")
CAMERA_ID = UUID(int=1)
STEP = timedelta(seconds=0.1)


def camera(mode: str) -> DesiredCamera:
    return DesiredCamera(
        camera_id=CAMERA_ID,
        name="Gate",
        source="played:",
        analysed_fps=120.0,
        samples=SamplePolicy(random_share=0.0, every_s=3600.0),
        overflow=OverflowPolicy(mode=mode, budget_ms=5000.0),  # type: ignore[arg-type]  # of the wire
    )


def person(score: float = 0.9) -> Detections:
    box = np.array([[20, 20, 60, 90]], np.float32)
    return Detections(box, np.array([score], np.float32), np.array([0], np.int32))


class FakeCloud:
    """A `Cloud` that keeps what it is given until a test answers."""

    def __init__(self) -> None:
        self.is_open = True
        self.errands: list[Errand] = []
        self.n_here = 0

    def offer(self, errand: Errand) -> bool:
        if self.is_open:
            self.errands.append(errand)
        return self.is_open

    def judged_here(self, camera: DesiredCamera) -> None:
        self.n_here += 1

    def give_up(self) -> None:
        for errand in self.errands:
            if errand.claim():
                errand.tell(TurnedAway("failed"))

    def settle(self, number: int, verdict: Verdict) -> None:
        assert self.errands[number].claim()
        self.errands[number].tell(verdict)

    def answer(self, number: int, *, score: float = 0.9) -> None:
        self.settle(number, Answered(person(score), Tongue(CLOUD)))


class Stage:
    """A watch with one camera, and what comes out of it."""

    def __init__(self, engine: FakeEngine, wanted: DesiredCamera) -> None:
        self.cloud = FakeCloud()
        self.entries: list[Entry] = []
        self.health = Health(utc_now)
        self.shown: list[datetime] = []
        self._to_come: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self._began_at = utc_now()
        self.watch = Watch(
            Network(engine, BUNDLE, LABELS),
            around=Surroundings(
                lambda _camera, _tap: self, self.health, self.entries.append, utc_now, lambda: 0.5
            ),
            health=self.health,
            live=LiveDesk(),
            append=self.entries.append,
            ids=track_ids(1),
            cloud=self.cloud,
        )
        self.watch.apply(Start(wanted))

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Be a `Feed`."""
        while not stop.is_set():
            try:
                yield self._to_come.get(timeout=0.01)
            except queue.Empty:
                continue

    def hand_in(self, n: int = 1) -> None:
        for _ in range(n):
            at = self._began_at + STEP * len(self.shown)
            self.shown.append(at)
            self._to_come.put(frame_of(np.full((96, 128), 200, np.uint8), at))

    @property
    def results(self) -> list[Result]:
        return [entry for entry in tuple(self.entries) if isinstance(entry, Result)]

    @property
    def samples(self) -> list[SampleOffered]:
        return [entry for entry in tuple(self.entries) if isinstance(entry, SampleOffered)]

    def wait_results(self, n: int) -> Sequence[Result]:
        wait_until(lambda: len(self.results) >= n)
        return self.results

    def judges(self) -> list[str]:
        return ["cloud" if each.bundle == CLOUD else "here" for each in self.results]

    @property
    def drops(self) -> dict[str, int]:
        return dict(self.health.drops(CAMERA_ID))


MakeStage = Callable[[FakeEngine, DesiredCamera], Stage]


@pytest.fixture
def make_stage() -> Iterator[MakeStage]:
    stages: list[Stage] = []

    def make(engine: FakeEngine, wanted: DesiredCamera) -> Stage:
        stages.append(Stage(engine, wanted))
        return stages[-1]

    yield make
    for stage in stages:
        stage.watch.close()


def test_what_the_cloud_says_otherwise_is_kept_for_learning(make_stage: MakeStage) -> None:
    wanted = camera("doubtful")
    stage = make_stage(FakeEngine([person(0.42)] * 2), wanted)
    stage.hand_in()
    wait_until(lambda: stage.cloud.errands)
    moved = np.array([[20, 20, 60, 90], [80, 20, 110, 90]], np.float32)
    found = Detections(moved, np.array([0.9, 0.8], np.float32), np.array([0, 1], np.int32))
    stage.cloud.settle(0, Answered(found, Tongue(CLOUD)))
    wait_until(lambda: stage.samples)
    [sample] = stage.samples
    assert (sample.reason, sample.bundle, sample.embedding) == ("low_confidence", CLOUD, b"")
    assert sample.disagreement == Disagreement(n_things=2, n_alone=1)
    stage.hand_in()
    wait_until(lambda: len(stage.cloud.errands) == 2)
    stage.cloud.settle(1, Answered(found, Tongue(CLOUD)))
    stage.wait_results(2)
    stage.hand_in()
    stage.wait_results(3)  # all that came before has been dealt with
    stage.watch._darkroom.close()
    assert len(stage.samples) == 1, "one in an hour, as the policy has it"


@pytest.mark.parametrize("known", [frozenset({0}), None])
def test_a_judge_without_a_word_for_it_says_nothing_otherwise(
    make_stage: MakeStage, known: frozenset[int] | None
) -> None:
    both = Detections(
        np.array([[20, 20, 60, 90], [80, 20, 110, 90]], np.float32),
        np.array([0.42, 0.9], np.float32),
        np.array([0, 1], np.int32),
    )
    stage = make_stage(FakeEngine([both]), camera("doubtful"))
    stage.hand_in()
    wait_until(lambda: stage.cloud.errands)
    stage.cloud.settle(0, Answered(person(), Tongue(CLOUD), known))
    stage.hand_in()
    stage.wait_results(2)
    stage.watch._darkroom.close()
    assert len(stage.samples) == (0 if known else 1)


def busy_stage(make_stage: MakeStage) -> tuple[Stage, FakeEngine]:
    """Return one whose engine has the first frame, whose cloud the second; the third waits."""
    engine = FakeEngine([person()] * 100)
    engine.hold()
    stage = make_stage(engine, camera("saturated"))
    stage.hand_in()
    wait_until(lambda: engine.frames)
    stage.hand_in(2)
    wait_until(lambda: stage.cloud.errands)
    return stage, engine


def test_what_the_engine_has_no_time_for_goes_to_the_cloud_and_comes_back_in_order(
    make_stage: MakeStage,
) -> None:
    stage, engine = busy_stage(make_stage)
    [errand] = stage.cloud.errands
    assert errand.exposure.frame.captured_at == stage.shown[1]
    engine.release()
    stage.wait_results(1)
    wait_until(lambda: len(engine.frames) == 2)
    assert len(stage.results) == 1  # the third is judged, and waits for the second
    stage.cloud.answer(0)
    results = stage.wait_results(3)
    assert [each.captured_at for each in results] == stage.shown
    assert stage.judges() == ["here", "cloud", "here"]
    tracks = {found.track for each in results[1:] for found in unpack(each.detections)}
    assert tracks == {1}
    assert sum(n for each in results for _, n in each.n_started) == 1
    assert stage.cloud.n_here == 2


@pytest.mark.parametrize("kind", ["refused", "late", "failed", "over_budget"])
def test_what_the_cloud_turns_away_is_dropped_and_holds_up_nobody(
    make_stage: MakeStage, kind: str
) -> None:
    stage, engine = busy_stage(make_stage)
    engine.release()
    stage.cloud.settle(0, TurnedAway(kind))  # type: ignore[arg-type]  # from the table
    results = stage.wait_results(2)
    assert [each.captured_at for each in results] == [stage.shown[0], stage.shown[2]]
    assert stage.drops == {f"cloud_{kind}": 1}
    assert stage.watch._duty._n_begun.total() == 0


def test_a_cloud_that_takes_nothing_changes_nothing(make_stage: MakeStage) -> None:
    engine = FakeEngine()
    engine.hold()
    stage = make_stage(engine, camera("saturated"))
    stage.cloud.is_open = False
    stage.hand_in()
    wait_until(lambda: engine.frames)
    stage.hand_in(3)
    wait_until(lambda: stage.drops == {"engine_busy": 2})
    engine.release()
    stage.wait_results(2)
    assert stage.judges() == ["here", "here"]


def test_a_cloud_that_hangs_costs_no_more_memory_than_it_may(make_stage: MakeStage) -> None:
    stage, engine = busy_stage(make_stage)
    stage.cloud.is_open = False
    engine.release()
    wait_until(lambda: len(engine.frames) == 2)
    for n in range(3, 65):
        stage.hand_in()
        wait_until(lambda n=n: len(engine.frames) == n)  # type: ignore[misc]
    stage.hand_in(10)
    wait_until(lambda: stage.drops == {"engine_busy": 9})  # the newest waits
    assert len(engine.frames) == 64  # one was settled before, and one is away
    stage.cloud.answer(0)
    results = stage.wait_results(66)
    assert [each.captured_at for each in results] == [*stage.shown[:65], stage.shown[-1]]


def test_in_doubt_the_cloud_has_the_last_word(make_stage: MakeStage) -> None:
    engine = FakeEngine([person(), person(0.3), person()])
    stage = make_stage(engine, camera("doubtful"))
    for n in range(3):
        stage.hand_in()
        wait_until(lambda n=n: len(engine.frames) == n + 1)  # type: ignore[misc]
    wait_until(lambda: stage.cloud.errands)
    assert len(stage.results) == 1
    stage.cloud.answer(0, score=0.8)
    results = stage.wait_results(3)
    assert stage.judges() == ["here", "cloud", "here"]
    [found] = unpack(results[1].detections)
    assert found.score == pytest.approx(0.8, abs=1e-3)
    assert [each.captured_at for each in results] == stage.shown


def test_in_doubt_without_an_answer_the_networks_own_stands(make_stage: MakeStage) -> None:
    stage = make_stage(FakeEngine([person(0.42)]), camera("doubtful"))
    stage.hand_in()
    wait_until(lambda: stage.cloud.errands)
    stage.cloud.settle(0, TurnedAway("late"))
    [result] = stage.wait_results(1)
    assert result.bundle == BUNDLE
    assert len(list(unpack(result.detections))) == 1
    assert stage.drops == {}


def test_always_means_the_cloud_first_and_the_engine_where_it_will_not(
    make_stage: MakeStage,
) -> None:
    engine = FakeEngine([person()] * 10)
    stage = make_stage(engine, camera("always"))
    for n in range(3):
        stage.hand_in()
        wait_until(lambda n=n: len(stage.cloud.errands) == n + 1)  # type: ignore[misc]
    assert engine.frames == []
    stage.cloud.answer(2)
    stage.cloud.settle(0, TurnedAway("refused"))
    stage.cloud.settle(1, TurnedAway("late"))
    results = stage.wait_results(2)
    assert [each.captured_at for each in results] == [stage.shown[0], stage.shown[2]]
    assert stage.judges() == ["here", "cloud"]
    assert stage.drops == {"cloud_late": 1}
    stage.cloud.is_open = False
    stage.hand_in()
    stage.wait_results(3)
    assert stage.judges()[-1] == "here"
    assert stage.watch._duty._n_begun.total() == 0


def test_a_camera_that_stops_waits_for_what_is_away(make_stage: MakeStage) -> None:
    stage, engine = busy_stage(make_stage)
    engine.release()
    stage.watch.apply(Stop(CAMERA_ID))
    stage.cloud.answer(0)
    wait_until(lambda: "cloud" in stage.judges())
    assert stage.watch._duty._n_begun.total() == 0


def test_of_a_camera_that_was_stopped_nothing_more_leaves(make_stage: MakeStage) -> None:
    engine = FakeEngine([person(0.42)])
    engine.hold()
    stage = make_stage(engine, camera("doubtful"))
    stage.hand_in()
    wait_until(lambda: engine.frames)
    stage.watch.apply(Stop(CAMERA_ID))
    engine.release()
    stage.wait_results(1)
    assert stage.cloud.errands == []


def test_an_agent_that_ends_settles_what_is_away(make_stage: MakeStage) -> None:
    stage, engine = busy_stage(make_stage)
    engine.release()
    stage.watch.close()
    assert all(errand.is_settled for errand in stage.cloud.errands)
    stage.watch.close = lambda: None  # type: ignore[method-assign]  # the fixture's turn is over


def test_overflow_is_switched_on_and_off_while_it_runs(make_stage: MakeStage) -> None:
    engine = FakeEngine()
    stage = make_stage(engine, camera("off"))
    stage.hand_in()
    stage.wait_results(1)
    stage.watch.apply(Tune(camera("always")))
    stage.hand_in()
    wait_until(lambda: stage.cloud.errands)
    stage.cloud.answer(0)
    stage.wait_results(2)
    stage.watch.apply(Tune(replace(camera("off"))))
    stage.hand_in()
    stage.wait_results(3)
    assert stage.judges() == ["here", "cloud", "here"]


def test_a_network_that_was_relieved_is_closed_although_the_cloud_had_a_frame(
    make_stage: MakeStage,
) -> None:
    stage, engine = busy_stage(make_stage)
    engine.release()
    stage.watch.change_network(Network(FakeEngine(), b"n" * 16, LABELS))
    stage.cloud.answer(0)
    wait_until(lambda: engine._is_closed)
    stage.wait_results(2)
