"""A file plays at its own speed and loops; every pass is a new stretch of time."""

import threading
import time
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge_agent.clock import utc_now
from edge_agent.sources.file import PlayedFile
from processing.media.decode import NotAVideo
from tests.edge_agent.entries import NOW
from tests.processing.media.videos import pictures, write_video

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream


class Instants:
    """A `PacketTap` that keeps when its packets were filmed."""

    def __init__(self) -> None:
        self.instants: list[datetime] = []

    def begin(self, stream: "VideoStream") -> None: ...

    def take(self, packet: "Packet[VideoStream]", at: datetime) -> None:
        self.instants.append(at)

    def end(self) -> None: ...


class AskedMeanwhile(threading.Event):
    """Is set as soon as somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.n_waits = 0

    def wait(self, timeout: float | None = None) -> bool:
        if timeout:
            self.n_waits += 1
            self.set()
        return self.is_set()


def test_it_works(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", pictures(6), fps=50)
    begun = time.monotonic()
    frames = list(islice(PlayedFile(path, now=lambda: NOW).frames(threading.Event()), 15))
    took = time.monotonic() - begun
    steps = [(frame.captured_at - NOW).total_seconds() for frame in frames]
    assert steps == pytest.approx([0.02 * n for n in range(15)], abs=1e-4)
    assert took >= 14 * 0.02  # not faster than it was filmed


def test_passes_never_repeat_an_instant_although_the_clock_stands_still(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", pictures(2), fps=100)
    frames = list(islice(PlayedFile(path, now=lambda: NOW).frames(threading.Event()), 20))
    instants = [frame.captured_at for frame in frames]
    assert sorted(set(instants)) == instants


def test_one_picture_loops_without_spinning(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", pictures(1), fps=50)
    begun = time.monotonic()
    list(islice(PlayedFile(path, now=utc_now).frames(threading.Event()), 6))
    assert time.monotonic() - begun >= 5 * 0.02


def test_one_that_fell_behind_goes_on_from_now(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", pictures(50), fps=25)
    feed = PlayedFile(path, now=utc_now).frames(threading.Event())
    first = next(feed)
    time.sleep(1.6)  # the machine slept
    second, third = next(feed), next(feed)
    assert second.captured_at - first.captured_at > timedelta(seconds=1.5)
    assert third.captured_at - second.captured_at < timedelta(seconds=0.5)
    assert third.captured_at <= utc_now() + timedelta(seconds=0.1)


def test_it_stops_when_asked_before_the_next_picture_is_due(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", pictures(5), fps=1)
    stop = AskedMeanwhile()
    feed = PlayedFile(path, now=utc_now).frames(stop)
    next(feed)
    assert list(feed) == []
    assert stop.n_waits == 1


def test_what_is_no_video_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_text("not a video")
    with pytest.raises(NotAVideo, match=r"a\.mp4"):
        next(PlayedFile(tmp_path / "a.mp4", now=utc_now).frames(threading.Event()))


def test_packets_have_the_instants_of_their_pictures_in_every_pass(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", pictures(4), fps=50)
    tap = Instants()
    feed = PlayedFile(path, now=lambda: NOW, tap=tap)
    frames = list(islice(feed.frames(threading.Event()), 12))
    shown = [(frame.captured_at - NOW).total_seconds() for frame in frames]
    taken = [(at - NOW).total_seconds() for at in tap.instants]
    assert taken[:12] == pytest.approx(shown, abs=1e-4)


def test_packets_pass_at_the_speed_of_the_film_pass_after_pass(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", pictures(4), fps=50)
    tap = Instants()
    begun = time.monotonic()
    passing = PlayedFile(path, now=lambda: NOW, tap=tap).packets(threading.Event())
    assert len(list(islice(passing, 12))) == 12
    assert time.monotonic() - begun >= 11 * 0.02  # not faster than it was filmed
    taken = [(at - NOW).total_seconds() for at in tap.instants]
    assert taken == pytest.approx([0.02 * n for n in range(12)], abs=1e-4)
