"""Whatever a real RTSP camera does, it is reported or got over, and its neighbour never notices."""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import pytest
import structlog

from edge_agent import reading as reading_module
from edge_agent.capture import Capture, Surroundings
from edge_agent.clock import Clock, utc_now
from edge_agent.health import CameraCondition, Health
from edge_agent.live import LiveDesk
from edge_agent.live_video import LiveVideoTap
from edge_agent.main_stream import MainStream
from edge_agent.slot import Slot
from edge_agent.sources.address import open_feed
from processing.media.packets import PacketTap
from processing.vision.frame import Frame
from processing.wire.camera import DesiredCamera, Streams
from tests.edge_agent.entries import wait_until
from tests.rtsp.proxy import Wire
from tests.rtsp.server import FPS, RtspCamera, rtsp_camera, write_film

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

    from processing.wire.messages import EventRaised


class Notes(Health):
    """A `Health` that also keeps the story."""

    def __init__(self, now: Clock) -> None:
        super().__init__(now)
        self.states: list[tuple[CameraCondition, str]] = []

    def camera_is(
        self, camera_id: UUID, state: CameraCondition, reason: str = ""
    ) -> CameraCondition | None:
        self.states.append((state, reason))
        return super().camera_is(camera_id, state, reason)


class Frames(Slot):
    """A slot that keeps when its frames were taken, and their sizes."""

    def __init__(self) -> None:
        super().__init__(on_dropped=lambda _frame: None, on_put=lambda: None)
        self.instants: list[datetime] = []
        self.sizes: list[tuple[int, int]] = []

    def put(self, frame: Frame) -> None:
        self.sizes.append((frame.width, frame.height))
        self.instants.append(frame.captured_at)


class Recorder:
    """A `PacketTap` that keeps the instants."""

    def __init__(self) -> None:
        self.instants: list[datetime] = []
        self.n_open = 0

    def begin(self, stream: "VideoStream") -> None:
        self.n_open += 1

    def take(self, packet: "Packet[VideoStream]", at: datetime) -> None:
        self.instants.append(at)

    def end(self) -> None:
        self.n_open -= 1


class Watched:
    """A camera that is watched by the agent's own capture."""

    def __init__(
        self, url: str, *, streams: Streams | None = None, now: Clock = utc_now, n: int = 1
    ) -> None:
        self.camera = DesiredCamera(
            camera_id=UUID(int=n),
            name=f"Camera {n}",
            source=url,
            analysed_fps=120.0,
            streams=streams or Streams(),
        )
        self.health = Notes(now)
        self.events: list[EventRaised] = []
        self.frames = Frames()
        self.around = Surroundings(
            partial(open_feed, files_dir=None, now=now),
            self.health,
            self.events.append,
            now,
            lambda: 0.5,
        )

    def start(self, tap: PacketTap | None = None) -> Capture:
        capture = Capture(self.camera, self.frames, self.around, tap)
        capture.start()
        return capture

    @property
    def state(self) -> tuple[CameraCondition, str]:
        return self.health.states[-1]

    def is_online(self) -> bool:
        return self.state[0] == "online"

    def sees_more(self, n: int = 5) -> bool:
        """Wait until more frames have come."""
        enough = len(self.frames.instants) + n
        wait_until(lambda: len(self.frames.instants) >= enough)
        return True

    @property
    def texts(self) -> str:
        """Return every word that was told of it."""
        return str(self.health.states) + str(self.events) + str(self.health.problems)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("films") / "a.h264", width=320, height=240)


@pytest.fixture(scope="module")
def neighbours_camera(film: Path) -> Iterator[Watched]:
    """Another camera, watched all the while."""
    with rtsp_camera(film) as camera:
        neighbour = Watched(camera.url, n=2)
        capture = neighbour.start()
        wait_until(neighbour.is_online)
        yield neighbour
        capture.stop()
        capture.join(5.0)


@pytest.fixture(autouse=True)
def untouched_neighbour(neighbours_camera: Watched) -> Iterator[None]:
    n_before = len(neighbours_camera.frames.instants)
    yield
    assert neighbours_camera.health.states == [("connecting", ""), ("online", "")]
    assert len(neighbours_camera.frames.instants) > n_before
    assert neighbours_camera.events == []


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "_STABLE_S", 0.5)


@pytest.fixture
def rig(film: Path) -> Iterator["Rig"]:
    rig = Rig(film)
    yield rig
    rig.stack.close()


class Rig:
    """A camera, and everything that is to be ended with it."""

    def __init__(self, film: Path) -> None:
        self.stack = ExitStack()
        self.camera: RtspCamera = self.stack.enter_context(rtsp_camera(film))

    def watch(self, watched: Watched, tap: PacketTap | None = None) -> Watched:
        self.end_with(watched.start(tap))
        return watched

    def end_with(self, reader: Capture | MainStream) -> None:
        self.stack.callback(reader.join, 6.0)
        self.stack.callback(reader.stop)

    def wire(self) -> Wire:
        wire = Wire(int(self.camera.url.split(":")[2].partition("/")[0]))
        self.stack.callback(wire.close)
        return wire


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_it_works(rig: Rig, transport: Literal["tcp", "udp"]) -> None:
    watched = rig.watch(Watched(rig.camera.url, streams=Streams(transport=transport)))
    watched.sees_more(30)
    assert watched.health.states == [("connecting", ""), ("online", "")]
    assert set(watched.frames.sizes) == {(320, 240)}
    steps = [
        (after - before).total_seconds() for before, after in pairwise(watched.frames.instants)
    ]
    assert steps[10:] == pytest.approx([1 / FPS] * len(steps[10:]), abs=0.01)


def test_one_that_is_unplugged_is_reported_and_got_back(rig: Rig) -> None:
    watched = rig.watch(Watched(rig.camera.url))
    watched.sees_more()
    rig.camera.kill()
    wait_until(lambda: watched.state[0] == "unreachable")
    assert "127.0.0.1" in watched.state[1]
    rig.camera.start()
    wait_until(lambda: any(event.kind == "camera_back" for event in watched.events))
    assert [event.kind for event in watched.events] == ["camera_unreachable", "camera_back"]
    assert watched.is_online()
    assert watched.sees_more()


def test_one_that_stalls_is_reported_within_two_intervals_and_two_seconds(rig: Rig) -> None:
    watched = rig.watch(Watched(rig.camera.url))
    watched.sees_more(20)
    rig.camera.stall()
    wait_until(lambda: watched.state[0] == "unreachable")
    told = re.fullmatch(r"sent nothing for (\d\.\d) s", watched.state[1])
    assert told is not None
    # The call that reads gives up after 5 s; whoever looks after it was told long before.
    assert 2.0 <= float(told[1]) < 2.0 + 2.0 / FPS + 1.0  # and what a busy machine adds
    rig.camera.go_on()
    wait_until(watched.is_online)
    assert watched.sees_more()
    assert watched.events == []


def test_one_that_stalls_for_good_is_lost_and_got_back(rig: Rig) -> None:
    watched = rig.watch(Watched(rig.camera.url))
    watched.sees_more(20)
    rig.camera.stall()
    wait_until(lambda: watched.events)
    told = [state for state, _ in watched.health.states]
    assert told == ["connecting", "online", "unreachable", "unreachable"]
    assert watched.events[0].detail.endswith("sent nothing for 5 s")
    rig.camera.go_on()
    wait_until(watched.is_online)
    assert watched.sees_more()


@pytest.mark.parametrize("trouble", ["nonsense", "reset"])
def test_a_wire_that_goes_bad_is_reported_and_got_over(
    rig: Rig, trouble: Literal["nonsense", "reset"]
) -> None:
    wire = rig.wire()
    watched = rig.watch(Watched(f"rtsp://127.0.0.1:{wire.port}/live"))
    watched.sees_more()
    wire.state = trouble
    wait_until(lambda: watched.state[0] == "unreachable" and watched.events)
    wire.state = "sound"
    wait_until(watched.is_online)
    assert watched.sees_more()


def test_one_that_answers_nonsense_from_the_start_is_reported(rig: Rig) -> None:
    wire = rig.wire()
    wire.state = "nonsense"
    watched = rig.watch(Watched(f"rtsp://127.0.0.1:{wire.port}/live"))
    wait_until(lambda: watched.state[0] == "unreachable")
    assert watched.frames.instants == []


def test_another_resolution_after_a_restart_is_taken_as_it_is(rig: Rig, tmp_path: Path) -> None:
    watched = rig.watch(Watched(rig.camera.url))
    watched.sees_more()
    rig.camera.kill()
    rig.camera.film = write_film(tmp_path / "b.h264", width=480, height=270)
    rig.camera.start()
    wait_until(lambda: watched.frames.sizes[-1] == (480, 270))
    wait_until(watched.is_online)


def test_a_refused_password_is_told_in_words_and_never_shown(film: Path) -> None:
    with structlog.testing.capture_logs() as logs, rtsp_camera(film, ("eve", "s3cret")) as camera:
        wrong = Watched(camera.url_for("eve", "hunter2"))
        capture = wrong.start()
        wait_until(lambda: wrong.events)
        assert wrong.state == (
            "unreachable", "rtsp://127.0.0.1/live refuses the user name or the password",
        )  # fmt: skip
        capture.stop()
        capture.join(6.0)
        right = Watched(camera.url_for("eve", "s3cret"))
        capture = right.start()
        wait_until(right.is_online)
        capture.stop()
        capture.join(6.0)
    told = wrong.texts + right.texts + str(logs)
    assert "hunter2" not in told
    assert "s3cret" not in told


def test_a_refused_password_is_not_tried_until_the_camera_locks_us_out(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a minute, or a second here, where the backoff alone would try a hundred times."""
    monkeypatch.setattr(reading_module, "_UNAUTHORIZED_S", 1.0)
    monkeypatch.setattr(reading_module, "_BACKOFF_BASE_S", 0.001)
    with rtsp_camera(film, ("eve", "s3cret")) as camera:
        wrong = Watched(camera.url_for("eve", "hunter2"))
        capture = wrong.start()
        wait_until(lambda: wrong.events)
        time.sleep(0.8)
        capture.stop()
        capture.join(6.0)
    assert sum(state == "unreachable" for state, _ in wrong.health.states) == 1


@pytest.mark.parametrize("hours", [24.0, -24.0])
def test_a_wall_clock_that_is_set_is_followed_and_nothing_else_happens(
    rig: Rig, hours: float
) -> None:
    offset = [timedelta()]

    def now() -> datetime:
        return utc_now() + offset[0]

    watched = rig.watch(Watched(rig.camera.url, now=now))
    watched.sees_more()
    offset[0] = timedelta(hours=hours)
    watched.sees_more(15)
    assert abs(watched.frames.instants[-1] - now()) < timedelta(seconds=2)
    steps = [after - before for before, after in pairwise(watched.frames.instants)]
    assert sum(abs(step) > timedelta(hours=1) for step in steps) == 1
    assert sum(step <= timedelta() for step in steps) == (1 if hours < 0 else 0)
    assert watched.health.states == [("connecting", ""), ("online", "")]


def test_a_tap_is_given_every_packet_with_the_instant_of_its_frame(rig: Rig) -> None:
    recorder = Recorder()
    watched = rig.watch(Watched(rig.camera.url), recorder)
    watched.sees_more(20)
    seen = watched.frames.instants[10:20]
    for at in seen:
        assert min(abs(at - taken) for taken in recorder.instants) < timedelta(milliseconds=5)
    assert recorder.n_open == 1
    rig.camera.kill()
    wait_until(lambda: watched.state[0] == "unreachable")
    wait_until(lambda: recorder.n_open == 0)


def test_a_main_stream_is_recorded_and_its_loss_is_a_problem_until_it_is_back(rig: Rig) -> None:
    watched = Watched("synthetic:", streams=Streams(clip_source=rig.camera.url))
    recorder = Recorder()
    video = LiveVideoTap(watched.camera.camera_id, LiveDesk(), may_show=lambda: True, is_main=True)
    main_stream = MainStream(watched.camera, watched.around, video=video, recorder=recorder)
    main_stream.start()
    rig.end_with(main_stream)
    wait_until(lambda: len(recorder.instants) > 10)
    assert not watched.health.problems
    rig.camera.kill()
    wait_until(lambda: watched.health.problems)
    assert "No clips of Camera 1: rtsp://127.0.0.1/live" in watched.texts
    n_before = len(recorder.instants)
    rig.camera.start()
    wait_until(lambda: not watched.health.problems and len(recorder.instants) > n_before)
