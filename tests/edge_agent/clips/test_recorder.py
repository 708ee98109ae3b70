"""An event leaves a clip: what came before it, it, and what came after, as its policy says."""

import os
import sys
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from edge_agent.clips import recording as recording_module
from edge_agent.clips.recorder import ClipCounts
from edge_agent.clips.recording import Recording
from edge_agent.clips.shelf import ClipShelf
from processing.media.clip_packets import EncodedPicture
from processing.media.clip_ring import PacketRing
from processing.media.decode import Decoder, video_file
from processing.wire.camera import ClipPolicy, Privacy
from tests.edge_agent.clips.scenery import POLICY, Camera, Scenery, after, begun
from tests.edge_agent.entries import wait_until
from tests.processing.media.numbered import pictures_of, shown_by, write_numbered

EVERYTHING = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
LOWER_HALF = ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0))


@pytest.fixture
def scenery(tmp_path: Path) -> Scenery:
    shelf = ClipShelf(tmp_path / "clips", max_mb=100, max_days=9, free=lambda _: 10**12)
    scenery = Scenery(tmp_path / "clips", shelf)
    scenery.may_look.set()
    return scenery


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty seconds; a key picture every second."""
    return write_numbered(tmp_path_factory.mktemp("film") / "film.mp4", 300)


def test_it_works(scenery: Scenery, film: Path) -> None:
    event_id = uuid4()
    with scenery.recorder() as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        recorder.begin_event(event_id, after(9.5))
        recorder.end_event(event_id, after(10.0))
        camera.play_until(14.0)
        numbers = scenery.numbers(event_id)
        camera.unplug()
    assert numbers == list(range(60, 121))  # from the key picture before 6.5 s to 12 s
    made = scenery.made[event_id]
    assert made.begins_at == after(6.0)
    assert made.seconds == pytest.approx(6.1, abs=0.01)
    assert made.n_bytes == scenery.clip(event_id).stat().st_size
    assert recorder.counts == ClipCounts(n_made=1)


def test_a_long_event_is_followed_as_long_as_it_lasts(scenery: Scenery, film: Path) -> None:
    event_id = uuid4()
    with scenery.recorder() as recorder:
        camera = Camera(film, recorder)
        camera.play_until(5.0)
        recorder.begin_event(event_id, after(5.0))
        begun(recorder, event_id)
        camera.play_until(24.0)
        recorder.end_event(event_id, after(24.0))
        camera.play_until(28.0)
        assert scenery.numbers(event_id) == list(range(20, 261))
        camera.unplug()


def test_events_that_overlap_have_a_clip_each(scenery: Scenery, film: Path) -> None:
    first, second = uuid4(), uuid4()
    with scenery.recorder() as recorder:
        camera = Camera(film, recorder)
        camera.play_until(8.0)
        recorder.begin_event(first, after(8.0))
        begun(recorder, first)
        camera.play_until(10.0)
        recorder.begin_event(second, after(10.0))
        recorder.end_event(first, after(10.0))
        recorder.end_event(second, after(11.0))
        camera.play_until(14.0)
        assert scenery.numbers(first) == list(range(50, 121))
        assert scenery.numbers(second) == list(range(70, 131))
        camera.unplug()


def test_no_clip_is_longer_than_its_policy_and_every_clip_has_its_moment(
    scenery: Scenery, film: Path
) -> None:
    event_id, late = uuid4(), uuid4()
    policy = ClipPolicy(is_on=True, before_s=5.0, after_s=5.0, longest_s=4.0)
    with scenery.recorder(policy) as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        recorder.begin_event(event_id, after(9.9))
        recorder.begin_event(late, after(9.0))
        begun(recorder, event_id)
        begun(recorder, late)
        camera.play_until(20.0)
        numbers = scenery.numbers(event_id)
        assert 99 in numbers
        assert scenery.made[event_id].seconds <= 4.0 + 1e-3
        assert 90 in scenery.numbers(late)
        camera.unplug()


def test_without_a_policy_there_is_no_clip_and_nothing_is_held(
    scenery: Scenery, film: Path
) -> None:
    event_id = uuid4()
    with scenery.recorder(ClipPolicy(is_on=False)) as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        assert recorder._ring.n_bytes == 0
        recorder.begin_event(event_id, after(9.0))
        recorder.tune(POLICY, Privacy())
        camera.play_until(20.0)
        wanted = uuid4()
        recorder.begin_event(wanted, after(19.0))
        recorder.end_event(wanted, after(19.0))
        camera.play_until(23.0)
        assert 190 in scenery.numbers(wanted)
        camera.unplug()
    assert event_id not in scenery.made


def test_an_event_whose_end_nobody_knows_of_is_no_matter(scenery: Scenery) -> None:
    with scenery.recorder() as recorder:
        recorder.end_event(uuid4(), after(1.0))
    assert recorder.counts == ClipCounts()


def test_a_camera_that_goes_away_leaves_a_clip_of_what_there_was(
    scenery: Scenery, film: Path
) -> None:
    event_id = uuid4()
    with scenery.recorder() as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        recorder.begin_event(event_id, after(9.5))
        recorder.end_event(event_id, after(9.5))
        camera.unplug()
        begun(recorder, event_id)
        assert event_id not in scenery.made
        scenery.now = after(15.0)
        assert scenery.numbers(event_id) == list(range(60, 100))


def test_a_camera_that_sent_nothing_leaves_a_count(scenery: Scenery) -> None:
    with scenery.recorder() as recorder:
        recorder.begin_event(uuid4(), after(0.0))
        recorder.begin_event(uuid4(), after(0.0))
        scenery.now = after(500.0)
        wait_until(lambda: recorder.counts == ClipCounts(n_failed=2))
    assert list(scenery.folder.iterdir()) == []


def test_a_reconnect_with_other_parameters_ends_the_clip_after_its_moment(
    scenery: Scenery, film: Path, tmp_path: Path
) -> None:
    event_id = uuid4()
    large = write_numbered(tmp_path / "large.mp4", 60, size=(640, 480))
    with scenery.recorder() as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        recorder.begin_event(event_id, after(9.5))
        camera.unplug()
        camera = Camera(large, recorder, from_s=10.5)
        camera.play_until(13.0)
        assert scenery.numbers(event_id) == list(range(60, 100))
        camera.unplug()


def test_a_reconnect_with_other_parameters_before_the_moment_begins_the_clip_anew(
    scenery: Scenery, film: Path, tmp_path: Path
) -> None:
    event_id = uuid4()
    large = write_numbered(tmp_path / "large.mp4", 60, size=(640, 480))
    with scenery.recorder() as recorder:
        camera = Camera(film, recorder)
        camera.play_until(9.0)
        camera.unplug()
        camera = Camera(large, recorder, from_s=9.5)
        camera.play_until(10.5)
        recorder.begin_event(event_id, after(10.3))
        recorder.end_event(event_id, after(10.3))
        camera.play_until(13.0)
        assert scenery.numbers(event_id) == list(range(29))
        camera.unplug()


def test_a_reconnect_with_the_same_parameters_goes_on(scenery: Scenery, film: Path) -> None:
    event_id = uuid4()
    with scenery.recorder() as recorder:
        camera = Camera(film, recorder)
        camera.play_until(9.0)
        camera.unplug()
        camera = Camera(film, recorder, from_s=10.0)
        camera.play_until(10.5)
        recorder.begin_event(event_id, after(9.4))
        recorder.end_event(event_id, after(10.0))
        camera.play_until(13.0)
        shown = shown_by(scenery.clip(event_id))
        camera.unplug()
    assert [number for _, number in shown] == [*range(60, 90), *range(21)]
    assert shown[30][0] == pytest.approx(4.0, abs=1e-2)


def test_a_camera_that_comes_back_after_long_ends_the_clip_where_it_went(
    scenery: Scenery, film: Path
) -> None:
    event_id = uuid4()
    with scenery.recorder() as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        recorder.begin_event(event_id, after(9.5))
        begun(recorder, event_id)
        camera.unplug()
        camera = Camera(film, recorder, from_s=100.0)
        camera.play_until(101.0)
        assert scenery.numbers(event_id) == list(range(60, 100))
        camera.unplug()
    assert scenery.made[event_id].seconds == pytest.approx(4.0, abs=0.01)


def test_a_clip_ends_before_it_is_larger_than_a_hub_takes(
    scenery: Scenery, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_module, "_MOST_BYTES", 100_000)
    event_id = uuid4()
    with scenery.recorder() as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        recorder.begin_event(event_id, after(9.5))
        begun(recorder, event_id)
        camera.play_until(30.0)
        assert 90_000 < scenery.clip(event_id).stat().st_size < 120_000
        camera.unplug()


def test_an_event_makes_room_before_its_clip_is_written(scenery: Scenery, film: Path) -> None:
    old, new = uuid4(), uuid4()
    with scenery.recorder() as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        recorder.begin_event(old, after(9.5))
        recorder.end_event(old, after(9.5))
        camera.play_until(14.0)
        file = scenery.clip(old)
        scenery.now = after(10 * 86_400)
        recorder.begin_event(new, after(13.5))
        wait_until(lambda: not file.exists())
        camera.unplug()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads have a niceness on Linux")
def test_its_thread_leaves_the_processor_to_others(scenery: Scenery) -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    with scenery.recorder() as recorder:
        native_id = recorder._thread.native_id
        assert native_id is not None
        nicer = min(19, max(own, 10))
        wait_until(lambda: os.getpriority(os.PRIO_PROCESS, native_id) == nicer)
    assert os.getpriority(os.PRIO_PROCESS, 0) == own


def test_what_browsers_cannot_play_is_encoded_anew(scenery: Scenery, tmp_path: Path) -> None:
    event_id = uuid4()
    film = write_numbered(tmp_path / "film.avi", 140, codec="mjpeg")
    with scenery.recorder() as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        recorder.begin_event(event_id, after(9.5))
        recorder.end_event(event_id, after(10.0))
        camera.play_until(14.0)
        numbers = scenery.numbers(event_id)
        camera.unplug()
    assert numbers == list(range(65, 121))  # every picture is a key picture


@pytest.mark.parametrize("codec", ["libx264", "mjpeg"])
def test_privacy_zones_are_burnt_into_every_picture(
    scenery: Scenery, tmp_path: Path, codec: str
) -> None:
    event_id, other = uuid4(), uuid4()
    film = write_numbered(tmp_path / "film.mkv", 140, codec=codec)
    with scenery.recorder(privacy=Privacy(zones=(LOWER_HALF,))) as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        recorder.begin_event(event_id, after(9.5))
        recorder.end_event(event_id, after(10.0))
        recorder.begin_event(other, after(9.8))
        recorder.end_event(other, after(10.0))
        camera.play_until(14.0)
        assert {95, 120} <= set(scenery.numbers(event_id))
        assert {98, 120} <= set(scenery.numbers(other))
        camera.unplug()
    for clip in (event_id, other):
        assert hidden_everywhere(scenery.clip(clip), below=0.5)


def test_faces_are_hidden_and_a_slow_detector_holds_no_camera_up(
    scenery: Scenery, film: Path
) -> None:
    event_id = uuid4()
    scenery.heads = np.array([[0, 150, 320, 240]], np.float32)
    scenery.may_look.clear()
    with scenery.recorder(privacy=Privacy(hides_faces=True)) as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        recorder.begin_event(event_id, after(9.5))
        recorder.end_event(event_id, after(10.0))
        camera.play_until(14.0)  # the recorder waits for the detector; the camera does not
        assert event_id not in scenery.made
        scenery.may_look.set()
        assert scenery.numbers(event_id) == list(range(60, 121))
        camera.unplug()
    with Decoder(video_file(scenery.clip(event_id))) as decoder:
        for picture in decoder:
            blocks = picture.planes.y[170:230, 10:70].astype(int)
            assert np.abs(np.diff(blocks, axis=1)).mean() < 1.0


def test_while_the_detector_is_away_nothing_at_all_is_shown(scenery: Scenery, film: Path) -> None:
    event_id = uuid4()
    scenery.heads = None
    with scenery.recorder(privacy=Privacy(hides_faces=True)) as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        recorder.begin_event(event_id, after(9.5))
        recorder.end_event(event_id, after(10.0))
        camera.play_until(14.0)
        assert hidden_everywhere(scenery.clip(event_id), below=0.0)
        camera.unplug()


def test_privacy_that_comes_during_a_clip_holds_for_all_of_it(scenery: Scenery, film: Path) -> None:
    event_id = uuid4()
    with scenery.recorder() as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        recorder.begin_event(event_id, after(9.5))
        begun(recorder, event_id)
        assert scenery.shelf.part(event_id).exists()
        recorder.tune(POLICY, Privacy(zones=(EVERYTHING,)))
        recorder.end_event(event_id, after(10.0))
        camera.play_until(14.0)
        assert hidden_everywhere(scenery.clip(event_id), below=0.0)
        camera.unplug()


def test_closed_it_finishes_what_is_in_the_making(scenery: Scenery, film: Path) -> None:
    event_id, masked = uuid4(), uuid4()
    with scenery.recorder() as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        recorder.begin_event(event_id, after(9.5))
    assert scenery.numbers(event_id) == list(range(60, 100))
    with scenery.recorder(privacy=Privacy(zones=(LOWER_HALF,))) as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        recorder.begin_event(masked, after(9.5))
    assert scenery.numbers(masked) == list(range(60, 100))


def test_a_shelf_that_is_full_costs_the_clip_only(tmp_path: Path, film: Path) -> None:
    shelf = ClipShelf(tmp_path / "clips", max_mb=100, max_days=9, free=lambda _: 0)
    scenery = Scenery(tmp_path / "clips", shelf)
    with scenery.recorder() as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        event_id = uuid4()
        recorder.begin_event(event_id, after(9.5))
        recorder.end_event(event_id, after(9.5))
        camera.play_until(14.0)
        wait_until(lambda: recorder.counts == ClipCounts(n_failed=1))
        camera.play_until(20.0)
        camera.unplug()
    assert list((tmp_path / "clips").iterdir()) == []


def test_a_folder_that_went_away_costs_the_clip_only(scenery: Scenery, film: Path) -> None:
    scenery.folder.rmdir()
    with scenery.recorder() as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        recorder.begin_event(uuid4(), after(9.5))
        wait_until(lambda: recorder.counts == ClipCounts(n_failed=1))
        camera.unplug()


def test_too_many_events_at_once_are_counted(scenery: Scenery, film: Path) -> None:
    with scenery.recorder() as recorder:
        camera = Camera(film, recorder)
        camera.play_until(4.0)
        for _ in range(20):
            recorder.begin_event(uuid4(), after(3.5))
        camera.unplug()
    assert recorder.counts == ClipCounts(n_made=16, n_refused=4)


def test_what_was_given_up_before_it_was_written_is_counted_and_the_clip_goes_on(
    tmp_path: Path, film: Path
) -> None:
    pictures = pictures_of(film)
    ring = PacketRing(max_bytes=sum(len(one.data) + 256 for one in pictures[100:130]))
    ring.hold(60)
    recording = Recording(uuid4(), after(1.0), POLICY, tmp_path / "clip.part")
    put(ring, pictures[:20])
    recording.read(ring)
    ring.want_from(recording.next_number)
    put(ring, pictures[20:100])
    recording.end(after(9.0))
    recording.read(ring)
    recorded = recording.finish()
    numbers = [number for _, number in shown_by(recorded.part)]
    assert numbers[:20] == list(range(20))
    assert numbers[20:] == list(range(20 + recording.n_missed, 100))
    assert recording.n_missed >= 40
    assert recorded.seconds == pytest.approx(10.0, abs=0.01)


def put(ring: PacketRing, pictures: list[EncodedPicture]) -> None:
    for picture in pictures:
        ring.put(picture)


def hidden_everywhere(path: Path, *, below: float) -> bool:
    """Return whether no picture of a file shows anything below this share of its height."""
    with Decoder(video_file(path)) as decoder:
        hidden = [
            np.abs(one.planes.y[int(one.planes.height * below) + 6 :].astype(int) - 126).max() <= 4
            for one in decoder
        ]
    return len(hidden) > 0 and all(hidden)
