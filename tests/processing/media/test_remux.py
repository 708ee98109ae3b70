"""Pictures as a camera sent them become an MP4: every one of them, at its own time."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.media.clip_clock import TICKS, ClipClock
from processing.media.clip_packets import ClipFailed, Coding, EncodedPicture, PacketCopier
from processing.media.remux import Mp4Writer, Written
from tests.processing.media.numbered import (
    FPS,
    NOON,
    boxes_of,
    pictures_of,
    play,
    shown_by,
    times,
    write_numbered,
)


def write(path: Path, pictures: Sequence[EncodedPicture]) -> Written:
    writer = Mp4Writer(path, pictures[0])
    for picture in pictures:
        writer.write(picture)
    return writer.finish()


def test_it_works(tmp_path: Path) -> None:
    pictures = pictures_of(write_numbered(tmp_path / "camera.mp4", 35))
    written = write(tmp_path / "clip.mp4", pictures)
    shown = shown_by(tmp_path / "clip.mp4")
    assert [number for _, number in shown] == list(range(35))
    assert times(shown) == pytest.approx([number / FPS for number in range(35)], abs=1e-3)
    assert written.seconds == pytest.approx(3.5)
    assert written.n_bytes == (tmp_path / "clip.mp4").stat().st_size
    with av.open(str(tmp_path / "clip.mp4")) as clip:
        assert clip.streams.video[0].codec_context.codec_tag == "avc1"
        assert clip.duration is not None
        assert clip.duration / 1e6 == pytest.approx(3.5, abs=1e-2)


def test_its_index_comes_before_its_pictures(tmp_path: Path) -> None:
    write(tmp_path / "clip.mp4", pictures_of(write_numbered(tmp_path / "camera.mp4", 20)))
    names = boxes_of(tmp_path / "clip.mp4")
    assert names.index(b"moov") < names.index(b"mdat")


@pytest.mark.parametrize("suffix", ["ts", "h264", "mkv", "flv"])
def test_whatever_the_camera_packs_its_pictures_in(tmp_path: Path, suffix: str) -> None:
    pictures = pictures_of(write_numbered(tmp_path / f"camera.{suffix}", 25))
    write(tmp_path / "clip.mp4", pictures)
    shown = shown_by(tmp_path / "clip.mp4")
    assert [number for _, number in shown] == list(range(25))
    assert shown[0][0] == 0.0


def test_pictures_that_are_sent_out_of_order_are_shown_in_order(tmp_path: Path) -> None:
    source = write_numbered(
        tmp_path / "camera.mp4", 40, options={"bf": "3", "b_strategy": "0", "b-pyramid": "normal"}
    )
    pictures = pictures_of(source)
    sent = [picture.time_s for picture in pictures]
    assert sent != sorted(sent)
    written = write(tmp_path / "clip.mp4", pictures)
    shown = shown_by(tmp_path / "clip.mp4")
    assert [number for _, number in shown] == list(range(40))
    assert times(shown) == pytest.approx([number / FPS for number in range(40)], abs=1e-3)
    assert written.seconds == pytest.approx(4.0)


def test_without_stamps_the_time_of_arrival_counts(tmp_path: Path) -> None:
    pictures = pictures_of(write_numbered(tmp_path / "camera.mp4", 20), stamps=False)
    write(tmp_path / "clip.mp4", pictures)
    assert times(shown_by(tmp_path / "clip.mp4")) == pytest.approx(
        [number / FPS for number in range(20)], abs=1e-3
    )


def test_hevc_gets_the_tag_that_browsers_know(tmp_path: Path) -> None:
    if "libx265" not in av.codecs_available:
        pytest.skip("this FFmpeg encodes no HEVC")
    source = write_numbered(tmp_path / "camera.mp4", 12, codec="libx265")
    write(tmp_path / "clip.mp4", pictures_of(source))
    with av.open(str(tmp_path / "clip.mp4")) as clip:
        assert clip.streams.video[0].codec_context.codec_tag == "hvc1"
    assert [number for _, number in shown_by(tmp_path / "clip.mp4")] == list(range(12))


def test_a_reconnect_leaves_a_gap_as_long_as_it_was(tmp_path: Path) -> None:
    source = write_numbered(tmp_path / "camera.mp4", 10)
    copied: list[EncodedPicture] = []
    copier = PacketCopier(copied.append)
    play(source, copier)
    play(source, copier, at=NOON + timedelta(seconds=4))
    write(tmp_path / "clip.mp4", copied)
    shown = shown_by(tmp_path / "clip.mp4")
    assert [number for _, number in shown] == [*range(10), *range(10)]
    assert shown[9][0] == pytest.approx(0.9, abs=1e-3)
    assert shown[10][0] == pytest.approx(4.0, abs=1e-3)
    assert shown[19][0] == pytest.approx(4.9, abs=1e-3)


def test_a_wall_clock_that_goes_back_leaves_no_gap(tmp_path: Path) -> None:
    source = write_numbered(tmp_path / "camera.mp4", 10)
    copied: list[EncodedPicture] = []
    copier = PacketCopier(copied.append)
    play(source, copier)
    play(source, copier, at=NOON - timedelta(days=1))
    write(tmp_path / "clip.mp4", copied)
    at_s, number = shown_by(tmp_path / "clip.mp4")[10]
    assert number == 0
    assert at_s == pytest.approx(1.0, abs=1e-3)


def test_copies_outlive_their_connection_and_other_parameters_are_another_coding(
    tmp_path: Path,
) -> None:
    large = pictures_of(write_numbered(tmp_path / "large.mp4", 5, size=(640, 480)))
    small = pictures_of(write_numbered(tmp_path / "small.mp4", 5))
    again = pictures_of(tmp_path / "small.mp4")
    assert large[0].coding != small[0].coding
    assert again[0].coding == small[0].coding
    write(tmp_path / "clip.mp4", large)
    assert len(shown_by(tmp_path / "clip.mp4")) == 5


def test_a_change_of_size_within_a_connection_is_another_coding(tmp_path: Path) -> None:
    one = write_numbered(tmp_path / "one.h264", 5).read_bytes()
    other = write_numbered(tmp_path / "other.h264", 5, size=(640, 480)).read_bytes()
    (tmp_path / "both.h264").write_bytes(one + other)
    pictures = pictures_of(tmp_path / "both.h264")
    assert len(pictures) == 10
    assert len({picture.coding for picture in pictures}) == 2
    write(tmp_path / "clip.mp4", pictures[5:])
    with av.open(str(tmp_path / "clip.mp4")) as clip:
        assert clip.streams.video[0].width == 640


def test_nothing_is_copied_before_the_first_key_picture(tmp_path: Path) -> None:
    copied: list[EncodedPicture] = []
    copier = PacketCopier(copied.append)
    with av.open(str(write_numbered(tmp_path / "camera.mp4", 25))) as container:
        stream = container.streams.video[0]
        copier.begin(stream)
        for number, packet in enumerate(container.demux(stream)):
            if number > 3:
                copier.take(packet, NOON)
    assert copied[0].is_key
    assert len(copied) == 15


def test_what_no_browser_plays_and_what_cannot_be_written_says_so(tmp_path: Path) -> None:
    (jpeg, *_) = pictures_of(write_numbered(tmp_path / "camera.avi", 2, codec="mjpeg"))
    with pytest.raises(ClipFailed, match="browsers play no mjpeg"):
        Mp4Writer(tmp_path / "clip.mp4", jpeg)
    (first, *_) = pictures_of(write_numbered(tmp_path / "camera.mp4", 2))
    writer = Mp4Writer(tmp_path / "nowhere" / "clip.mp4", first)
    writer.write(first)
    with pytest.raises(ClipFailed, match=r"clip\.mp4 cannot be"):
        writer.finish()


def test_a_first_picture_that_is_damaged_says_so(tmp_path: Path) -> None:
    coding = Coding("h264", 320, 240)
    garbage = EncodedPicture(coding, b"\0\0\0\1garbage" * 20, is_key=True, at=NOON, time_s=0,
                             stretch=1)  # fmt: skip
    with pytest.raises(ClipFailed):
        Mp4Writer(tmp_path / "clip.mp4", garbage)


def test_abandoned_leaves_nothing(tmp_path: Path) -> None:
    (first, *_) = pictures_of(write_numbered(tmp_path / "camera.mp4", 2))
    writer = Mp4Writer(tmp_path / "clip.part", first)
    writer.write(first)
    writer.abandon()
    assert not (tmp_path / "clip.part").exists()


@given(
    steps=st.lists(st.integers(50, 9000), min_size=1, max_size=80),
    depth=st.integers(0, 4),
    dice=st.randoms(use_true_random=False),
)
def test_every_picture_is_decoded_once_in_order_and_never_after_it_is_shown(
    steps: list[int], depth: int, dice: Random
) -> None:
    shown, total = [], 0
    for step in steps:
        shown.append(total)
        total += step
    # Groups in any order, as frames that are predicted from both sides come.
    sent = [0]
    for start in range(1, len(shown), depth + 1):
        group = shown[start : start + depth + 1]
        dice.shuffle(group)
        sent += group
    coding = Coding("h264", 16, 16)
    pictures = [
        EncodedPicture(coding, b"", is_key=not n, at=NOON, time_s=100 + at / TICKS, stretch=1)
        for n, at in enumerate(sent)
    ]
    clock = ClipClock(pictures[0])
    placed = [one for picture in pictures for one in clock.add(picture)] + clock.finish()
    assert [one.shown for one in placed] == sent
    decoded = [one.decoded for one in placed]
    assert all(one.decoded <= one.shown for one in placed)
    assert all(later > earlier for earlier, later in pairwise(decoded))
