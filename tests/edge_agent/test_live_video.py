"""A camera's own packets leave while somebody looks, and never of one with anything to hide."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from edge_agent.capture import Surroundings
from edge_agent.clock import utc_now
from edge_agent.health import Health
from edge_agent.live import LiveDesk, Shown
from edge_agent.live_video import LiveVideoTap
from edge_agent.main_stream import MainStream
from edge_agent.reconcile import Start, Tune
from edge_agent.sources.address import open_feed
from edge_agent.watch import Network, Watch
from processing.inference.fake import FakeEngine
from processing.media.clip_packets import PacketCopier
from processing.tracking.ids import track_ids
from processing.wire.camera import DesiredCamera, Privacy, Streams
from processing.wire.messages import LiveBoxes, LiveDemand, LivePicture, LiveVideo, LiveView
from tests.edge_agent.entries import BUNDLE, CAMERA, wait_until
from tests.processing.media.numbered import FPS, pictures_of, play, write_numbered

if TYPE_CHECKING:
    from av.video.stream import VideoStream

CORNER = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.0, 0.5))
HIDING = Privacy(zones=(CORNER,))


class Clock:
    """Monotonic seconds, by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def demand(
    *, has_video: bool = True, has_pictures: bool = True, has_main_video: bool = False
) -> LiveDemand:
    view = LiveView(
        camera_id=CAMERA,
        has_video=has_video,
        has_pictures=has_pictures,
        has_main_video=has_main_video,
    )
    return LiveDemand(views=(view,), expires_s=60)


def taken(desk: LiveDesk) -> list[Shown]:
    """Return what there is to send."""
    return list(iter(desk.take, None))


def show(path: Path, tap: LiveVideoTap | PacketCopier, *, n: int = 10**6) -> None:
    play(path, tap, n=n)  # type: ignore[arg-type]  # any tap will do


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_numbered(tmp_path / "camera.mp4", 25)


def test_it_works(video: Path) -> None:
    desk = LiveDesk()
    desk.demand(demand())
    show(video, LiveVideoTap(CAMERA, desk, may_show=lambda: True), n=5)
    sent = taken(desk)
    assert all(isinstance(each, LiveVideo) for each in sent)
    assert [each.number for each in sent if isinstance(each, LiveVideo)] == [1, 2, 3, 4, 5]
    first, second = sent[:2]
    assert isinstance(first, LiveVideo)
    assert isinstance(second, LiveVideo)
    assert first.is_key
    assert first.codec.startswith("avc1.")
    assert (first.width, first.height) == (320, 240)
    assert not second.is_key
    assert second.at_s == pytest.approx(0.1)
    assert not second.codec


def test_nothing_leaves_while_nobody_looks(video: Path) -> None:
    desk = LiveDesk()
    tap = LiveVideoTap(CAMERA, desk, may_show=lambda: True)
    show(video, tap)
    desk.demand(demand(has_video=False))
    show(video, tap)
    assert taken(desk) == []


def test_a_demand_lapses(video: Path) -> None:
    clock = Clock()
    desk = LiveDesk(clock)
    desk.demand(demand())
    clock.at = 61.0
    show(video, LiveVideoTap(CAMERA, desk, may_show=lambda: True))
    assert taken(desk) == []


def test_nothing_leaves_of_a_camera_that_hides_something(video: Path) -> None:
    desk = LiveDesk()
    desk.demand(demand())
    tap = LiveVideoTap(CAMERA, desk, may_show=lambda: False)
    show(video, tap)
    assert taken(desk) == []
    assert not tap.is_running


def test_what_waits_is_forgotten_when_something_is_to_be_hidden(video: Path) -> None:
    desk = LiveDesk()
    desk.demand(demand())
    answers = iter([True] * 5 + [False] * 20)
    show(video, LiveVideoTap(CAMERA, desk, may_show=lambda: next(answers)))
    assert taken(desk) == []


def test_who_looks_again_begins_with_a_key_picture(video: Path) -> None:
    desk = LiveDesk()
    desk.demand(demand())
    answers = iter([True] * 3 + [False] * 2 + [True] * 10)
    show(video, LiveVideoTap(CAMERA, desk, may_show=lambda: next(answers)), n=15)
    sent = [each for each in taken(desk) if isinstance(each, LiveVideo)]
    assert sent[0].is_key
    assert sent[0].at_s == pytest.approx(1.0)  # the next one after the pause
    assert [each.number for each in sent] == list(range(4, 9))


def test_a_codec_that_browsers_do_not_play_is_left_to_pictures(tmp_path: Path) -> None:
    desk = LiveDesk()
    desk.demand(demand())
    video = write_numbered(tmp_path / "camera.avi", 5, codec="mpeg4")
    tap = LiveVideoTap(CAMERA, desk, may_show=lambda: True)
    show(video, tap)
    assert taken(desk) == []
    assert not tap.is_running


def test_pictures_too_large_for_the_wire_are_left_out(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_agent.live_video.MAX_FRAGMENT_BYTES", 2000)
    desk = LiveDesk()
    desk.demand(demand())
    show(video, LiveVideoTap(CAMERA, desk, may_show=lambda: True))
    assert taken(desk) == []  # for the key pictures are, and nothing is without them


def test_a_slow_connection_skips_to_the_next_key_picture(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = max(len(picture.data) for picture in pictures_of(video)) + 200
    monkeypatch.setattr("edge_agent.live._MAX_TAPE_BYTES", most)
    desk = LiveDesk()
    desk.demand(demand())
    show(video, LiveVideoTap(CAMERA, desk, may_show=lambda: True), n=21)
    (sent,) = taken(desk)
    assert isinstance(sent, LiveVideo)
    assert sent.is_key
    assert sent.number == 21


def test_a_connection_after_another_goes_on_in_number_and_time(video: Path) -> None:
    desk = LiveDesk()
    tap = LiveVideoTap(CAMERA, desk, may_show=lambda: True)
    sent: list[LiveVideo] = []
    for _ in range(2):
        desk.demand(demand())
        show(video, tap, n=5)
        sent += [each for each in taken(desk) if isinstance(each, LiveVideo)]
    assert [each.number for each in sent] == list(range(1, 11))
    assert sent[5].is_key
    assert all(one.at_s < other.at_s for one, other in pairwise(sent))


def test_video_is_not_pictures(video: Path) -> None:
    desk = LiveDesk()
    desk.demand(demand(has_pictures=False))
    assert desk.turn_of(CAMERA) is None
    assert desk.wants_video(CAMERA)


def test_the_main_stream_goes_to_who_looks_large_and_the_other_to_the_others(video: Path) -> None:
    desk = LiveDesk()
    taps = [
        LiveVideoTap(CAMERA, desk, may_show=lambda: True, is_main=is_main)
        for is_main in (False, True)
    ]
    for has_video, has_main_video in ((True, False), (False, True), (True, True)):
        desk.demand(demand(has_video=has_video, has_main_video=has_main_video))
        for tap in taps:
            show(video, tap, n=3)
        sent = [each.is_main for each in taken(desk) if isinstance(each, LiveVideo)]
        assert sent == [False] * 3 * has_video + [True] * 3 * has_main_video


# ---------------------------------------------------------------- in a watch

Begin = Callable[[DesiredCamera], Watch]


@pytest.fixture
def desk() -> LiveDesk:
    return LiveDesk()


@pytest.fixture
def around(video: Path) -> Surroundings:
    """Cameras that play videos of one folder."""
    return Surroundings(
        partial(open_feed, files_dir=video.parent, now=utc_now),
        Health(utc_now),
        lambda _event: None,
        utc_now,
        lambda: 0.5,
        video.parent,
    )


@pytest.fixture
def begin(around: Surroundings, desk: LiveDesk) -> Iterator[Begin]:
    """Watches a camera."""
    watches: list[Watch] = []

    def begin(camera: DesiredCamera) -> Watch:
        watch = Watch(
            Network(FakeEngine(), BUNDLE, ("person",)),
            around=around,
            health=Health(utc_now),
            live=desk,
            append=lambda _entry: None,
            ids=track_ids(1),
        )
        watches.append(watch)
        watch.apply(Start(camera))
        return watch

    yield begin
    for watch in watches:
        watch.close()


STREET = DesiredCamera(camera_id=CAMERA, name="Street", source="file:camera.mp4")
LARGE = replace(STREET, streams=Streams(clip_source="file:main.mp4"))


def seen(desk: LiveDesk, into: list[Shown], kind: type[Shown]) -> bool:
    into += taken(desk)
    return any(isinstance(each, kind) for each in into)


def test_a_watched_camera_is_shown_with_what_is_found_in_it(begin: Begin, desk: LiveDesk) -> None:
    desk.demand(demand(has_pictures=False))
    begin(STREET)
    sent: list[Shown] = []
    wait_until(lambda: seen(desk, sent, LiveVideo) and seen(desk, sent, LiveBoxes))
    captured = {each.captured_at for each in sent if isinstance(each, LiveVideo)}
    boxes = [each.captured_at for each in sent if isinstance(each, LiveBoxes)]
    wait_until(lambda: seen(desk, sent, LiveVideo))
    apart = min(abs((at - boxes[0]).total_seconds()) for at in captured)
    assert apart < 0.02
    assert not any(isinstance(each, LivePicture) for each in sent)


def test_of_a_masked_camera_only_covered_pictures_leave(begin: Begin, desk: LiveDesk) -> None:
    desk.demand(demand())
    begin(replace(STREET, privacy=HIDING))
    sent: list[Shown] = []
    wait_until(lambda: seen(desk, sent, LivePicture))
    assert all(isinstance(each, LivePicture) for each in sent)


def test_a_camera_that_is_masked_later_sends_no_more_packets(begin: Begin, desk: LiveDesk) -> None:
    desk.demand(demand())
    watch = begin(STREET)
    sent: list[Shown] = []
    wait_until(lambda: seen(desk, sent, LiveVideo))
    watch.apply(Tune(replace(STREET, privacy=HIDING)))
    at = utc_now()
    sent.clear()
    wait_until(
        lambda: (
            seen(desk, sent, LivePicture)
            and any(isinstance(each, LivePicture) and each.captured_at > at for each in sent)
        )
    )
    assert not any(isinstance(each, LiveVideo) and each.captured_at > at for each in sent)


class Opened(LiveVideoTap):
    """Counts how often its stream is open, and how often it was asked whether it should be."""

    n_open = n_asked = 0

    @property
    def is_wanted(self) -> bool:
        self.n_asked += 1
        return super().is_wanted

    def begin(self, stream: "VideoStream") -> None:
        self.n_open += 1
        super().begin(stream)

    def end(self) -> None:
        self.n_open -= 1
        super().end()


@pytest.fixture
def main_video(video: Path) -> Path:
    """What the main stream of LARGE plays."""
    return write_numbered(video.parent / "main.mp4", 25, size=(640, 480))


def test_a_main_stream_is_open_only_while_somebody_looks_large(
    around: Surroundings, desk: LiveDesk, tmp_path: Path
) -> None:
    # Longer than is waited for: one that begins again is closed for a moment.
    write_numbered(tmp_path / "main.mp4", 30 * FPS, size=(64, 48))
    tap = Opened(CAMERA, desk, may_show=lambda: True, is_main=True)
    main_stream = MainStream(LARGE, around, video=tap, recorder=None)
    desk.demand(demand())
    main_stream.start()
    try:
        wait_until(lambda: tap.n_asked > 1)
        assert tap.n_open < 1
        sent: list[Shown] = []
        desk.demand(demand(has_main_video=True))
        wait_until(lambda: seen(desk, sent, LiveVideo))
        assert tap.n_open == 1
        desk.demand(demand())
        wait_until(lambda: not tap.n_open)
    finally:
        main_stream.stop()
        main_stream.join(5.0)


@pytest.mark.usefixtures("main_video")
def test_who_looks_large_is_shown_what_was_found_too(begin: Begin, desk: LiveDesk) -> None:
    desk.demand(demand(has_video=False, has_pictures=False, has_main_video=True))
    begin(LARGE)
    sent: list[Shown] = []
    wait_until(lambda: seen(desk, sent, LiveVideo) and seen(desk, sent, LiveBoxes))
    shown = [each for each in sent if isinstance(each, LiveVideo)]
    assert {(each.is_main, each.width) for each in shown} == {(True, 640)}


def test_the_main_stream_of_a_masked_camera_is_not_even_opened(
    begin: Begin, desk: LiveDesk, around: Surroundings
) -> None:
    desk.demand(demand(has_main_video=True))
    begin(replace(LARGE, privacy=HIDING))  # whose video is not there
    sent: list[Shown] = []
    wait_until(lambda: seen(desk, sent, LivePicture))
    assert all(isinstance(each, LivePicture) for each in sent)
    assert isinstance(around.health, Health)
    assert not around.health.problems
