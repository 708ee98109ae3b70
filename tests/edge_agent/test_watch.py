"""Cameras share one engine: fairly, in order, and none of them stops another."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from uuid import UUID

import numpy as np
import pytest
from msgspec.structs import replace

from edge_agent import watch as watch_module
from edge_agent.backlog import Entry  # noqa: TC001  # at run time a reader looks for it here
from edge_agent.capture import Surroundings
from edge_agent.clock import utc_now
from edge_agent.health import Health
from edge_agent.live import LiveDesk
from edge_agent.reconcile import Start, Stop, Tune
from edge_agent.sources.feed import Feed
from edge_agent.sources.synthetic import SyntheticFeed
from edge_agent.watch import Network, Watch
from processing.inference.detector import Detector, InferenceFailed, OnDone
from processing.inference.fake import FakeEngine
from processing.media.decode import SourceLost
from processing.media.jpeg import read_jpeg_size
from processing.media.packets import PacketTap
from processing.tracking.ids import track_ids
from processing.vision.detections import Detections
from processing.vision.frame import Frame
from processing.wire.camera import DesiredCamera, SamplePolicy
from processing.wire.messages import (
    Entered,
    EventRaised,
    LiveDemand,
    LivePicture,
    LiveView,
    Result,
    SampleOffered,
)
from processing.wire.packed import unpack
from processing.wire.scene import Scene, Zone
from tests.edge_agent.entries import BUNDLE, wait_until

NO_SAMPLES = SamplePolicy(random_share=0.0, low_score=0.0, high_score=0.0)
ONE_CAR = Detections(
    np.array([[10, 10, 60, 60]], np.float32), np.array([0.9], np.float32), np.array([1], np.int32)
)


def camera(
    n: int, *, source: str = "synthetic:", samples: SamplePolicy = NO_SAMPLES, fps: float = 50.0
) -> DesiredCamera:
    return DesiredCamera(
        camera_id=UUID(int=n), name=f"camera {n}", source=source, analysed_fps=fps, samples=samples
    )


class Site:
    """A watch, and what comes out of it."""

    def __init__(self, engine: Detector) -> None:
        self.entries: list[Entry] = []
        self.health = Health(utc_now)
        self.live = LiveDesk()
        self.watch = Watch(
            Network(engine, BUNDLE, ("person", "car")),
            around=Surroundings(_feed, self.health, self.entries.append, utc_now, lambda: 0.5),
            health=self.health,
            live=self.live,
            append=self.entries.append,
            ids=track_ids(1),
        )

    def results(self, n: int) -> list[Result]:
        return [
            entry
            for entry in tuple(self.entries)
            if isinstance(entry, Result) and entry.camera_id == UUID(int=n)
        ]


def _feed(camera: DesiredCamera, _tap: PacketTap | None) -> Feed:
    if camera.source == "broken:":
        raise SourceLost("it is broken")
    return SyntheticFeed(now=utc_now, fps=50.0, width=128, height=96)


MakeSite = Callable[[Detector], Site]


@pytest.fixture
def make_site() -> Iterator[MakeSite]:
    sites: list[Site] = []

    def make(engine: Detector) -> Site:
        sites.append(Site(engine))
        return sites[-1]

    yield make
    for site in sites:
        site.watch.close()


def test_it_works(make_site: MakeSite) -> None:
    site = make_site(FakeEngine([ONE_CAR] * 1000))
    site.watch.apply(Start(camera(1)))
    wait_until(lambda: len(site.results(1)) >= 5)
    first, second = site.results(1)[:2]
    [found] = unpack(second.detections)
    assert (found.label, found.track) == (1, 1)
    assert (first.n_started, second.n_started) == ((), ((1, 1),))
    assert second.bundle == BUNDLE
    [state] = site.health.report(()).cameras
    assert (state.state, state.width, state.height) == ("online", 128, 96)


def test_a_result_says_what_came_into_which_zone(make_site: MakeSite) -> None:
    yard = Zone(zone_id=UUID(int=9), name="Yard", polygon=((0, 0), (1, 0), (1, 1), (0, 1)))
    site = make_site(FakeEngine([ONE_CAR] * 1000))
    site.watch.apply(Start(replace(camera(1), scene=Scene(zones=(yard,)))))
    wait_until(lambda: len(site.results(1)) >= 3)
    said = [result.entered for result in site.results(1)[:3]]
    assert said == [(), (Entered(yard.zone_id, 1, 1),), ()]


def test_a_broken_camera_does_not_stop_another(make_site: MakeSite) -> None:
    site = make_site(FakeEngine())
    site.watch.apply(Start(camera(1, source="broken:")))
    site.watch.apply(Start(camera(2)))
    wait_until(lambda: len(site.results(2)) >= 5)
    states = {state.camera_id.int: state.state for state in site.health.report(()).cameras}
    assert states == {1: "unreachable", 2: "online"}
    assert [e.kind for e in site.entries if isinstance(e, EventRaised)] == ["camera_unreachable"]


def test_a_frame_that_fails_is_counted_and_the_next_is_looked_at(make_site: MakeSite) -> None:
    site = make_site(FakeEngine([InferenceFailed("out of luck"), InferenceFailed("again")]))
    site.watch.apply(Start(camera(1)))
    wait_until(lambda: len(site.results(1)) >= 2)
    assert site.health.drops(UUID(int=1))["inference_failed"] == 2


class SlowEngine:
    """Answers the frames it has accepted out of order, a few at a time."""

    def __init__(self, n_requests: int, *, backwards: bool = False) -> None:
        self.device = "SLOW"
        self._n_requests = n_requests
        self._backwards = backwards
        self._held: list[OnDone] = []
        self._lock = threading.Lock()
        self.n_by_camera: Counter[int] = Counter()

    def detect(self, frame: Frame) -> Detections:
        return Detections.empty()

    def embed(self, frame: Frame) -> None:
        return None

    def submit(self, frame: Frame, on_done: OnDone) -> bool:
        with self._lock:
            if len(self._held) >= self._n_requests:
                return False
            self._held.append(on_done)
            return True

    def answer(self) -> None:
        with self._lock:
            held, self._held = self._held, []
        for on_done in reversed(held) if self._backwards else held:
            on_done(Detections.empty())

    def wait(self) -> None:
        self.answer()

    def close(self) -> None:
        self.answer()


def test_results_keep_the_order_of_frames_although_answers_do_not(make_site: MakeSite) -> None:
    engine = SlowEngine(3, backwards=True)
    site = make_site(engine)
    site.watch.apply(Start(camera(1)))

    def enough() -> bool:
        if len(engine._held) == 3:
            engine.answer()
        return len(site.results(1)) >= 12

    wait_until(enough)
    instants = [result.captured_at for result in site.results(1)]
    assert sorted(set(instants)) == instants


def test_a_busy_engine_is_shared_fairly_and_drops_are_counted(make_site: MakeSite) -> None:
    engine = SlowEngine(1)
    site = make_site(engine)
    for n in (1, 2, 3):
        site.watch.apply(Start(camera(n)))

    def enough() -> bool:
        threading.Event().wait(0.02)  # 50 answers a second, for 150 frames
        engine.answer()
        return sum(len(site.results(n)) for n in (1, 2, 3)) >= 45

    wait_until(enough)
    counts = [len(site.results(n)) for n in (1, 2, 3)]
    assert max(counts) - min(counts) <= 4
    assert all(site.health.drops(UUID(int=n))["engine_busy"] for n in (1, 2, 3))


def test_an_engine_that_hangs_is_told(make_site: MakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "_LOOK_S", 0.05)
    monkeypatch.setattr(watch_module, "_PATIENCE_S", 0.2)
    engine = SlowEngine(1)
    site = make_site(engine)
    site.watch.apply(Start(camera(1)))
    wait_until(lambda: site.health.problems)
    assert "hangs" in site.health.problems[0]
    engine.answer()
    wait_until(lambda: not site.health.problems)


def test_a_doubtful_frame_is_kept_with_its_picture(make_site: MakeSite) -> None:
    doubt = Detections(ONE_CAR.xyxy, np.array([0.42], np.float32), ONE_CAR.labels)
    site = make_site(FakeEngine([doubt] * 1000))
    site.watch.apply(Start(camera(1, samples=SamplePolicy(every_s=0.2, random_share=0.0))))
    wait_until(lambda: any(isinstance(entry, SampleOffered) for entry in tuple(site.entries)))
    sample = next(entry for entry in site.entries if isinstance(entry, SampleOffered))
    assert (sample.reason, round(sample.score, 2)) == ("low_confidence", 0.42)
    assert read_jpeg_size(sample.jpeg) == (sample.width, sample.height) == (128, 96)
    assert len(list(unpack(sample.detections))) == 1


def test_pictures_are_made_only_while_somebody_looks(make_site: MakeSite) -> None:
    site = make_site(FakeEngine([ONE_CAR] * 1000))
    site.watch.apply(Start(camera(1)))
    wait_until(lambda: len(site.results(1)) >= 5)
    assert site.live.take() is None
    view = LiveView(camera_id=UUID(int=1), max_width=64)
    site.live.demand(LiveDemand(views=(view,), expires_s=60))
    wait_until(lambda: site.live._newest)
    picture = site.live.take()
    assert isinstance(picture, LivePicture)
    assert read_jpeg_size(picture.jpeg) == (picture.width, picture.height) == (64, 48)
    assert len(picture.detections) == 16
    assert picture.captured_at in {result.captured_at for result in site.results(1)}


def test_a_stopped_camera_makes_no_more_results(make_site: MakeSite) -> None:
    site = make_site(FakeEngine())
    site.watch.apply(Start(camera(1)))
    site.watch.apply(Start(camera(2)))
    wait_until(lambda: site.results(1))
    site.watch.apply(Stop(UUID(int=1)))
    n_before, n_others = len(site.results(1)), len(site.results(2))
    wait_until(lambda: len(site.results(2)) > n_others + 10)
    assert len(site.results(1)) <= n_before + 1  # one may have been on the engine
    assert set(site.watch.cameras) == {UUID(int=2)}


def test_new_settings_apply_to_a_running_camera(make_site: MakeSite) -> None:
    site = make_site(FakeEngine([ONE_CAR] * 10_000))
    site.watch.apply(Start(camera(1)))
    wait_until(lambda: site.results(1))
    strict = DesiredCamera(
        camera_id=UUID(int=1), name="x", source="synthetic:", analysed_fps=50.0,
        score_threshold=0.95, samples=NO_SAMPLES,
    )  # fmt: skip
    site.watch.apply(Tune(strict))
    n_before = len(site.results(1))
    wait_until(lambda: len(site.results(1)) > n_before + 5)
    assert site.results(1)[-1].detections == b""


def test_closing_stores_what_the_engine_has_begun(make_site: MakeSite) -> None:
    engine = SlowEngine(3)
    site = make_site(engine)
    site.watch.apply(Start(camera(1)))
    wait_until(lambda: len(engine._held) == 3)
    site.watch.close()
    assert len(site.results(1)) == 3
    site.watch.close = lambda: None  # type: ignore[method-assign]  # the fixture's turn is over


def tracks_in(site: Site) -> list[int]:
    return [found.track for result in site.results(1) for found in unpack(result.detections)]


@pytest.mark.parametrize(
    ("labels", "is_followed"), [(("person", "car"), True), (("car", "person"), False)]
)
def test_another_network_goes_on_with_the_tracks_if_it_has_the_same_words(
    make_site: MakeSite, labels: tuple[str, ...], *, is_followed: bool
) -> None:
    first = FakeEngine([ONE_CAR] * 10_000)
    site = make_site(first)
    site.watch.apply(Start(camera(1)))
    wait_until(lambda: len(site.results(1)) >= 5)
    site.watch.change_network(Network(FakeEngine([ONE_CAR] * 10_000), b"n" * 16, labels))
    wait_until(lambda: sum(result.bundle == b"n" * 16 for result in site.results(1)) >= 5)
    assert set(tracks_in(site)) - {0} == ({1} if is_followed else {1, 2})
    wait_until(lambda: first._is_closed)


def test_a_network_that_hangs_is_relieved_all_the_same(
    make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "_PATIENCE_S", 0.1)
    hung = FakeEngine()
    hung.hold()
    site = make_site(hung)
    site.watch.apply(Start(camera(1)))
    wait_until(lambda: hung.frames)
    site.watch.change_network(Network(FakeEngine(), b"n" * 16, ("person", "car")))
    wait_until(lambda: hung._is_closed)
    wait_until(lambda: any(result.bundle == b"n" * 16 for result in site.results(1)))
    assert site.results(1)[0].bundle == BUNDLE  # late, and under its own name
