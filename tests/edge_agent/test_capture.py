"""A camera that is lost is told once, tried again, and told once when it is back."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec
import pytest

from edge_agent import reading as reading_module
from edge_agent.capture import Capture, Surroundings
from edge_agent.clock import Clock, utc_now
from edge_agent.health import CameraCondition
from edge_agent.slot import Slot
from edge_agent.sources.feed import Feed
from edge_agent.sources.synthetic import SyntheticFeed
from processing.media.decode import SourceLost
from processing.media.packets import PacketTap
from processing.vision.frame import Frame
from processing.wire.camera import DesiredCamera, Schedule, Streams, Window
from tests.edge_agent.entries import wait_until

if TYPE_CHECKING:
    from processing.wire.messages import EventRaised

CAMERA = DesiredCamera(camera_id=UUID(int=1), name="Gate", source="rtsp://u:secret@cam/x")


Start = Callable[..., Capture]
"""Takes a feed, or how it is lost, and the camera and the clock if they matter."""


class Script:
    """A feed that gives some frames and is lost, once for each number; then it goes on."""

    def __init__(self, *n_frames: int, reason: str = "the camera sent nothing") -> None:
        self.n_frames = list(n_frames)
        self.n_opened = 0
        self.reason = reason

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        self.n_opened += 1
        endless = SyntheticFeed(now=utc_now, fps=200.0, width=32, height=32).frames(stop)
        if not self.n_frames:
            yield from endless
            return
        for _ in range(self.n_frames.pop(0)):
            yield next(endless)
        raise SourceLost(self.reason)


class Notes:
    """What a capture tells."""

    def __init__(self) -> None:
        self.states: list[tuple[CameraCondition, str]] = []
        self.events: list[EventRaised] = []
        self.problems: dict[str, str] = {}
        self.n_frames = 0

    def camera_is(
        self, camera_id: UUID, state: CameraCondition, reason: str = ""
    ) -> CameraCondition | None:
        self.states.append((state, reason))
        return None

    def problem(self, key: str, text: str) -> None:
        self.problems[key] = text

    def solved(self, key: str) -> None:
        self.problems.pop(key, None)

    def count(self) -> None:
        self.n_frames += 1

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def start(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setattr(reading_module, "_STABLE_S", 0.1)
    monkeypatch.setattr(reading_module, "_BACKOFF_BASE_S", 0.01)
    started: list[Capture] = []

    def run(
        feed: Feed | SourceLost, camera: DesiredCamera = CAMERA, now: Clock = utc_now
    ) -> Capture:
        def make(_camera: DesiredCamera, _tap: PacketTap | None) -> Feed:
            if isinstance(feed, SourceLost):
                raise feed
            return feed

        around = Surroundings(make, notes, notes.events.append, now, lambda: 0.5)
        slot = Slot(on_dropped=lambda _: None, on_put=notes.count)
        capture = Capture(camera, slot, around)
        capture.start()
        started.append(capture)
        return capture

    yield run
    for capture in started:
        capture.stop()
    for capture in started:
        capture.join(5.0)


def test_it_works(start: Start, notes: Notes) -> None:
    start(Script())
    wait_until(lambda: notes.n_frames > 2)
    assert notes.states == [("connecting", ""), ("online", "")]
    assert notes.events == []


def test_a_camera_that_vanishes_and_comes_back_is_told_twice(start: Start, notes: Notes) -> None:
    start(Script(5, 0, 0))
    wait_until(lambda: notes.kinds == ["camera_unreachable", "camera_back"])
    assert notes.events[0].severity == "warning"
    assert notes.events[0].detail == "the camera sent nothing"
    assert [state for state, _ in notes.states] == [
        "connecting", "online", "unreachable", "unreachable", "unreachable", "online",
    ]  # fmt: skip


def test_a_camera_that_flickers_is_told_once(start: Start, notes: Notes) -> None:
    script = Script(*[1] * 10)
    start(script)
    wait_until(lambda: len(script.n_frames) < 3)
    assert notes.kinds == ["camera_unreachable"]


def test_an_address_that_is_refused_is_told(start: Start, notes: Notes) -> None:
    start(SourceLost("file:../x leads out of the folder"))
    wait_until(lambda: notes.events)
    assert "leads out" in notes.events[0].detail


def test_no_password_is_told(start: Start, notes: Notes) -> None:
    start(Script(0, reason="rtsp://u:secret@cam/x sent nothing"))
    wait_until(lambda: notes.kinds)
    assert "secret" not in str(notes.events) + str(notes.states)


def test_only_as_many_frames_as_wanted_are_offered(start: Start, notes: Notes) -> None:
    script = Script(100)
    capture = start(script)  # 100 frames in half a second, of which 10 a second are wanted
    wait_until(lambda: script.n_opened == 2)
    n_frames = notes.n_frames
    capture.stop()
    assert 4 <= n_frames <= 8


def test_it_ends_when_asked_and_tells_nothing_afterwards(start: Start, notes: Notes) -> None:
    capture = start(Script())
    wait_until(lambda: notes.n_frames)
    capture.stop()
    capture.join(5.0)
    n_before = len(notes.states)
    assert not any(thread.name == "capture Gate" for thread in threading.enumerate())
    assert len(notes.states) == n_before


SUNDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
WEEKDAYS = Schedule(windows=(Window(days=(0, 1, 2, 3, 4), from_minute=480, to_minute=1080),))


def test_outside_its_hours_a_camera_is_left_alone(start: Start, notes: Notes) -> None:
    at = [SUNDAY]
    script = Script()
    camera = msgspec.structs.replace(CAMERA, schedule=WEEKDAYS)
    start(script, camera, lambda: at[0])
    told = ("disabled", "outside its hours (next: Mon 08:00)")
    wait_until(lambda: told in notes.states)
    assert script.n_opened == 0
    at[0] = SUNDAY + timedelta(hours=20)
    wait_until(lambda: notes.n_frames > 2)
    at[0] = SUNDAY
    wait_until(lambda: notes.states[-1] == told)
    n_frames = notes.n_frames
    assert [state for state, _ in dict.fromkeys(notes.states)] == [
        "connecting", "disabled", "online",
    ]  # fmt: skip
    at[0] = SUNDAY + timedelta(hours=20)
    wait_until(lambda: notes.n_frames > n_frames)
    assert script.n_opened == 2
    assert notes.events == []


def test_a_time_zone_that_nobody_knows_is_reported_until_it_is_set_right(
    start: Start, notes: Notes
) -> None:
    lost = msgspec.structs.replace(WEEKDAYS, time_zone="Mars/Olympus")
    capture = start(Script(), msgspec.structs.replace(CAMERA, schedule=lost))
    assert "Gate: this machine does not know the time zone Mars/Olympus" in str(notes.problems)
    capture.tune(msgspec.structs.replace(CAMERA, schedule=WEEKDAYS))
    assert notes.problems == {}


def test_a_camera_that_is_to_be_fetched_otherwise_is_opened_anew(
    start: Start, notes: Notes
) -> None:
    script = Script()
    capture = start(script)
    wait_until(lambda: notes.n_frames > 2)
    capture.tune(msgspec.structs.replace(CAMERA, analysed_fps=20.0))
    capture.tune(msgspec.structs.replace(CAMERA, streams=Streams(transport="udp")))
    wait_until(lambda: script.n_opened == 2)
    n_frames = notes.n_frames
    wait_until(lambda: notes.n_frames > n_frames)
    assert notes.events == []


def test_a_camera_that_hangs_too_often_is_a_problem_until_it_lets_go(
    start: Start, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_module, "_HANG_S", 0.1)
    monkeypatch.setattr(reading_module, "_LOOK_S", 0.05)
    let_go = threading.Event()

    class Hangs:
        def frames(self, stop: threading.Event) -> Iterator[Frame]:
            let_go.wait(30)
            yield from SyntheticFeed(now=utc_now, fps=50.0, width=32, height=32).frames(stop)

    start(Hangs())
    wait_until(lambda: notes.problems)
    assert "Gate hangs, 3 times over: restart the agent" in notes.problems.values()
    assert notes.states[-1][0] == "unreachable"
    let_go.set()
    wait_until(lambda: not notes.problems and notes.states[-1][0] == "online")
