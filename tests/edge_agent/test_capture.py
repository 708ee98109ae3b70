"""A camera that is lost is told once, tried again, and told once when it is back."""

import threading
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from edge_agent import capture as capture_module
from edge_agent.capture import Capture, Surroundings
from edge_agent.clock import utc_now
from edge_agent.health import CameraCondition
from edge_agent.slot import Slot
from edge_agent.sources.feed import Feed
from edge_agent.sources.synthetic import SyntheticFeed
from processing.media.decode import SourceLost
from processing.vision.frame import Frame
from processing.wire.messages import DesiredCamera, EventRaised
from tests.edge_agent.entries import wait_until

CAMERA = DesiredCamera(camera_id=UUID(int=1), name="Gate", source="rtsp://u:secret@cam/x")


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
        self.n_frames = 0

    def camera_is(
        self, camera_id: UUID, state: CameraCondition, reason: str = ""
    ) -> CameraCondition | None:
        self.states.append((state, reason))
        return None

    def count(self) -> None:
        self.n_frames += 1

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def start(
    notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Feed | SourceLost], Capture]]:
    monkeypatch.setattr(capture_module, "_STABLE_S", 0.1)
    monkeypatch.setattr(capture_module, "_BACKOFF_BASE_S", 0.01)
    started: list[Capture] = []

    def run(feed: Feed | SourceLost) -> Capture:
        def make(_source: str) -> Feed:
            if isinstance(feed, SourceLost):
                raise feed
            return feed

        around = Surroundings(make, notes, notes.events.append, utc_now, lambda: 0.5)
        slot = Slot(on_dropped=lambda: None, on_put=notes.count)
        capture = Capture(CAMERA, slot, around)
        capture.start()
        started.append(capture)
        return capture

    yield run
    for capture in started:
        capture.stop()
    for capture in started:
        capture.join(5.0)


Start = Callable[[Feed | SourceLost], Capture]


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
    assert not capture._thread.is_alive()
    assert len(notes.states) == n_before
