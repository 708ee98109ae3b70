"""Each picture is played as soon as it is there, at its own time, by whoever joins at a key."""

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from processing.media.clip_packets import ClipFailed, EncodedPicture
from processing.media.fragments import Fragment, Fragmenter
from tests.processing.media.numbered import FPS, NOON, number_in, pictures_of, write_numbered


def fragments(pictures: list[EncodedPicture]) -> list[Fragment]:
    fragmenter = Fragmenter()
    return [fragmenter.add(picture) for picture in pictures]


def shown(made: list[Fragment]) -> list[tuple[float, int]]:
    """Return (seconds, number) of what a player shows that begins with the first of these."""
    whole = io.BytesIO(made[0].track.init + b"".join(each.data for each in made))
    with av.open(whole, "r", format="mp4") as player:
        return [
            (frame.time, number_in(frame.to_ndarray(format="gray").astype(np.uint8)))
            for frame in player.decode(video=0)
        ]


def test_it_works(tmp_path: Path) -> None:
    made = fragments(pictures_of(write_numbered(tmp_path / "camera.mp4", 25)))
    assert [number for _, number in shown(made)] == list(range(25))
    assert [each.at_s for each in made] == pytest.approx([n / FPS for n in range(25)], abs=1e-3)
    assert [each.at_s for each in made] == pytest.approx([at for at, _ in shown(made)], abs=1e-3)
    track = made[0].track
    assert (track.width, track.height) == (320, 240)
    assert track.codec.startswith("avc1.42")
    assert [number for number, each in enumerate(made) if each.is_key] == [0, 10, 20]


def test_who_joins_later_sees_the_rest(tmp_path: Path) -> None:
    made = fragments(pictures_of(write_numbered(tmp_path / "camera.mp4", 25)))
    assert [number for _, number in shown(made[10:])] == list(range(10, 25))


def test_clocks_that_are_days_apart_are_refused_in_words(tmp_path: Path) -> None:
    first, *_ = pictures_of(write_numbered(tmp_path / "camera.mp4", 5))
    with pytest.raises(ClipFailed, match="long after"):
        fragments([replace(first, time_s=first.time_s + 200_000.0, decoded_s=0.0)])


def test_a_fragment_is_hardly_larger_than_its_picture(tmp_path: Path) -> None:
    pictures = pictures_of(write_numbered(tmp_path / "camera.mp4", 10))
    for picture, made in zip(pictures, fragments(pictures), strict=True):
        assert len(made.data) <= len(picture.data) + 130


@pytest.mark.parametrize("suffix", ["mp4", "ts", "mkv"])
def test_pictures_that_are_sent_before_those_they_follow(tmp_path: Path, suffix: str) -> None:
    path = write_numbered(tmp_path / f"camera.{suffix}", 25, options={"bf": "2"})
    made = fragments(pictures_of(path))
    assert [number for _, number in shown(made)] == list(range(25))


def test_out_of_order_without_times_to_decode_is_not_playable(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "camera.mp4", 25, options={"bf": "2"})
    pictures = [replace(picture, decoded_s=None) for picture in pictures_of(path)]
    with pytest.raises(ClipFailed, match="order"):
        fragments(pictures)


def test_hevc_is_named_as_browsers_ask_for_it(tmp_path: Path) -> None:
    made = fragments(pictures_of(write_numbered(tmp_path / "camera.mp4", 12, codec="libx265")))
    assert made[0].track.codec.startswith("hvc1.1.6.L")
    assert [number for _, number in shown(made)] == list(range(12))


def test_what_browsers_do_not_play_is_refused(tmp_path: Path) -> None:
    pictures = pictures_of(write_numbered(tmp_path / "camera.avi", 3, codec="mjpeg"))
    with pytest.raises(ClipFailed):
        fragments(pictures)


def test_after_another_connection_time_goes_on(tmp_path: Path) -> None:
    pictures = pictures_of(write_numbered(tmp_path / "camera.mp4", 10))
    later = NOON + timedelta(seconds=3)
    again = [
        replace(picture, stretch=picture.stretch + 1, at=picture.at - NOON + later)
        for picture in pictures
    ]
    made = fragments([*pictures, *again])
    assert made[10].at_s - made[9].at_s == pytest.approx(2.1, abs=1e-3)
    assert made[19].at_s - made[10].at_s == pytest.approx(0.9, abs=1e-3)
    assert made[0].track is made[19].track


def test_another_coding_has_another_beginning(tmp_path: Path) -> None:
    small = pictures_of(write_numbered(tmp_path / "small.mp4", 10))
    large = pictures_of(write_numbered(tmp_path / "large.mp4", 10, size=(640, 360)))
    made = fragments([*small, *(replace(picture, stretch=9) for picture in large)])
    assert made[0].track.init != made[10].track.init
    assert (made[10].track.width, made[10].track.height) == (640, 360)
    assert made[10].at_s > made[9].at_s
