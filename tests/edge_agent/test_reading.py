"""Whoever looks after a source tells that it is silent, though the one who reads it hangs."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import pytest

from edge_agent import reading as reading_module
from edge_agent.reading import Reader, Reading
from processing.media.decode import SourceLost
from processing.media.packets import PacketTap
from tests.edge_agent.entries import wait_until

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream

Script = Callable[[Reading], None]


class Recorder:
    """A `PacketTap` that notes what it was called."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def begin(self, stream: "VideoStream") -> None:
        self.calls.append("begin")

    def take(self, packet: "Packet[VideoStream]", at: datetime) -> None:
        self.calls.append("take")

    def end(self) -> None:
        self.calls.append("end")


class Story:
    """A `Listener` that reads by one script after the other, the last one again and again."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        self.told: list[str] = []
        self.is_resting = False
        self.n_read = 0

    def read(self, reading: Reading) -> None:
        self.n_read += 1
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        script(reading)

    def rests(self) -> bool:
        return self.is_resting

    def came(self) -> None:
        self.told.append("came")

    def stalled(self, silent_s: float) -> None:
        self.told.append("stalled")

    def lost(self, reason: SourceLost) -> None:
        self.told.append(f"lost: {reason}")

    def steady(self) -> None:
        self.told.append("steady")

    def hangs(self, n_threads: int) -> None:
        self.told.append(f"hangs {n_threads}")


def beats(reading: Reading) -> None:
    """Send until told to stop."""
    while not reading.stop.wait(0.01):
        reading.beat()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (
        ("_STALL_S", 0.1), ("_HANG_S", 0.4), ("_LOOK_S", 0.05), ("_STABLE_S", 0.1),
        ("_BACKOFF_BASE_S", 0.01), ("_BACKOFF_CAP_S", 0.05),
    ):  # fmt: skip
        monkeypatch.setattr(reading_module, name, seconds)


@pytest.fixture
def unhang() -> Iterator[threading.Event]:
    """Set when the test is over, so that what hangs ends."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def read() -> Iterator[Callable[..., Reader]]:
    started: list[Reader] = []

    def start(story: Story, tap: PacketTap | None = None) -> Reader:
        reader = Reader(story, tap=tap, name="reading in a test", dice=lambda: 0.5)
        reader.start()
        started.append(reader)
        return reader

    yield start
    for reader in started:
        reader.stop()
    for reader in started:
        reader.join(5.0)


Read = Callable[..., Reader]


def test_it_works(read: Read) -> None:
    story = Story(beats)
    read(story)
    wait_until(lambda: story.told == ["came", "steady"])


def test_silence_is_told_while_the_call_still_blocks_and_its_end_too(
    read: Read, unhang: threading.Event
) -> None:
    goes_on = threading.Event()

    def blocks(reading: Reading) -> None:
        for _ in range(5):
            reading.beat()
        while not (goes_on.wait(0.01) or unhang.is_set()):
            pass
        beats(reading)

    story = Story(blocks)
    read(story)
    wait_until(lambda: story.told == ["came", "stalled"])
    goes_on.set()
    wait_until(lambda: story.told == ["came", "stalled", "came", "steady"])


def test_one_that_sends_seldom_is_given_two_intervals_more(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_module, "_HANG_S", 30.0)

    def seldom(reading: Reading) -> None:
        while not reading.stop.wait(0.4):  # patience begins at 0.1 s
            reading.beat()

    story = Story(seldom)
    read(story)
    wait_until(lambda: "steady" in story.told)
    time.sleep(1.2)
    assert story.told.count("stalled") <= 1  # before the first interval was known


def test_what_comes_may_be_dealt_with_slowly(read: Read, unhang: threading.Event) -> None:
    """A recording waits for the engine; it is not silent, and its thread does not hang."""
    is_done = threading.Event()

    def works(reading: Reading) -> None:
        reading.beat()
        reading.work(lambda: wait_until(lambda: is_done.is_set() or unhang.is_set()))
        beats(reading)

    story = Story(works)
    read(story)
    wait_until(lambda: story.told == ["came", "steady"])
    time.sleep(0.6)  # a thread that hangs would have been left behind
    is_done.set()
    time.sleep(0.1)
    assert story.told == ["came", "steady"]
    assert story.n_read == 1


def test_one_that_is_lost_is_tried_again(read: Read) -> None:
    def lost(reading: Reading) -> None:
        reading.beat()
        raise SourceLost("unplugged")

    story = Story(lost, beats)
    read(story)
    wait_until(lambda: story.told[-1:] == ["steady"])
    assert "lost: unplugged" in story.told


def test_a_thread_that_hangs_is_replaced_and_cut_off(read: Read, unhang: threading.Event) -> None:
    recorder = Recorder()

    def hangs(reading: Reading) -> None:
        reading.tap.begin(cast("VideoStream", None))
        while not unhang.wait(0.05):
            pass
        reading.tap.take(cast("Packet[VideoStream]", None), datetime.now(UTC))

    story = Story(hangs, beats)
    read(story, recorder)
    wait_until(lambda: story.told[-1:] == ["steady"])
    assert any(told.startswith("lost: it hangs") for told in story.told)
    unhang.set()
    time.sleep(0.2)
    assert recorder.calls == ["begin", "end"]


def test_only_so_many_threads_are_left_behind(read: Read, unhang: threading.Event) -> None:
    def hangs(_reading: Reading) -> None:
        unhang.wait(30)

    story = Story(hangs, hangs, hangs, beats)
    read(story)
    wait_until(lambda: "hangs 3" in story.told)
    assert story.n_read == 3
    time.sleep(0.3)
    assert story.n_read == 3
    unhang.set()
    wait_until(lambda: story.told[-1:] == ["steady"])
    assert "hangs 0" in story.told


def test_nothing_is_read_while_it_rests(read: Read) -> None:
    story = Story(beats)
    story.is_resting = True
    read(story)
    time.sleep(0.2)
    assert story.n_read == 0
    story.is_resting = False
    wait_until(lambda: story.told[-1:] == ["steady"])
    story.is_resting = True
    wait_until(lambda: not readers())
    assert story.told == ["came", "steady"]  # closing is not losing


def test_it_is_opened_anew_when_asked(read: Read) -> None:
    story = Story(beats)
    reader = read(story)
    wait_until(lambda: story.told == ["came", "steady"])
    reader.reopen()
    wait_until(lambda: story.n_read == 2)
    assert not any(told.startswith("lost") for told in story.told)


def test_it_ends_when_asked(read: Read) -> None:
    story = Story(beats)
    reader = read(story)
    wait_until(lambda: story.told)
    reader.stop()
    reader.join(5.0)
    assert not any("in a test" in thread.name for thread in threading.enumerate())


def readers() -> list[threading.Thread]:
    """Return the threads that read; the one that looks after them has the same name."""
    named = [thread for thread in threading.enumerate() if thread.name == "reading in a test"]
    return named[1:]
