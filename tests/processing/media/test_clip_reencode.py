"""Pictures are changed and encoded again: none gets by unchanged, and all keep their times."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from processing.media.clip_packets import ClipFailed, Coding, EncodedPicture
from processing.media.clip_reencode import Change, Reencoder, unchanged
from processing.media.clip_veil import Veil
from processing.media.decode import Decoder, video_file
from processing.media.remux import Mp4Writer
from processing.vision.detections import Boxes
from processing.vision.frame import Frame
from processing.wire.camera import Privacy
from tests.processing.media.numbered import (
    FPS,
    NOON,
    pictures_of,
    shown_by,
    times,
    write_numbered,
)

LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
SQUARES = ((0.0, 0.0), (1.0, 0.0), (1.0, 0.2), (0.0, 0.2))


def encoded(pictures: Sequence[EncodedPicture], change: Change) -> list[EncodedPicture]:
    reencoder = Reencoder(change)
    return [made for one in pictures for made in reencoder.feed(one)] + reencoder.finish()


def write(path: Path, pictures: Sequence[EncodedPicture]) -> Path:
    writer = Mp4Writer(path, pictures[0])
    for picture in pictures:
        writer.write(picture)
    writer.finish()
    return path


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("mjpeg", "avi"), ("mpeg4", "mp4"), ("msmpeg4", "avi"), ("libx264", "ts")],
)
def test_whatever_the_codec_browsers_play_the_result(
    tmp_path: Path, codec: str, suffix: str
) -> None:
    pictures = pictures_of(write_numbered(tmp_path / f"camera.{suffix}", 23, codec=codec))
    made = encoded(pictures, unchanged)
    assert made[0].is_key
    assert made[0].coding.codec == "h264"
    assert [one.at for one in made] == [NOON + timedelta(seconds=n / FPS) for n in range(23)]
    shown = shown_by(write(tmp_path / "clip.mp4", made))
    assert [number for _, number in shown] == list(range(23))
    assert times(shown) == pytest.approx([n / FPS for n in range(23)], abs=1e-3)


def test_pictures_sent_out_of_order_come_out_in_order(tmp_path: Path) -> None:
    source = write_numbered(tmp_path / "camera.mp4", 25, options={"bf": "3", "b_strategy": "0"})
    made = encoded(pictures_of(source), unchanged)
    assert [number for _, number in shown_by(write(tmp_path / "clip.mp4", made))] == list(range(25))


def test_a_fast_camera_is_slowed_to_fifteen_a_second(tmp_path: Path) -> None:
    pictures = pictures_of(write_numbered(tmp_path / "camera.mp4", 60))
    fast = [
        EncodedPicture(one.coding, one.data, one.is_key, one.at, n / 30, one.stretch)
        for n, one in enumerate(pictures)
    ]
    made = encoded(fast, unchanged)
    assert len(made) == 30
    assert [one.time_s for one in made] == pytest.approx([n / 15 for n in range(30)])


def test_odd_and_huge_pictures_get_a_size_that_can_be_encoded(tmp_path: Path) -> None:
    odd = write_numbered(tmp_path / "odd.avi", 4, codec="mjpeg", size=(323, 241))
    assert encoded(pictures_of(odd), unchanged)[0].coding.width == 322
    huge = write_numbered(tmp_path / "huge.avi", 3, codec="mjpeg", size=(2560, 1440))
    coding = encoded(pictures_of(huge), unchanged)[0].coding
    assert coding.width * coding.height <= 1920 * 1080
    assert coding.width / coding.height == pytest.approx(16 / 9, abs=0.01)


def test_other_parameters_make_another_coding(tmp_path: Path) -> None:
    small = pictures_of(write_numbered(tmp_path / "small.avi", 5, codec="mjpeg"))
    large = pictures_of(write_numbered(tmp_path / "l.avi", 5, codec="mjpeg", size=(640, 480)))
    made = encoded([*small, *large], unchanged)
    assert [one.coding.width for one in made] == [320] * 5 + [640] * 5
    assert made[5].is_key


def test_a_damaged_picture_costs_no_other(tmp_path: Path) -> None:
    pictures = pictures_of(write_numbered(tmp_path / "camera.avi", 9, codec="mjpeg"))
    hurt = pictures[4]
    pictures[4] = EncodedPicture(hurt.coding, b"garbage", True, hurt.at, hurt.time_s, hurt.stretch)  # noqa: FBT003
    made = encoded(pictures, unchanged)
    shown = shown_by(write(tmp_path / "clip.mp4", made))
    assert [number for _, number in shown] == [0, 1, 2, 3, 5, 6, 7, 8]


def test_what_cannot_be_decoded_says_so() -> None:
    picture = EncodedPicture(Coding("nonsense", 64, 48), b"1", True, NOON, 0.0, 1)  # noqa: FBT003
    with pytest.raises(ClipFailed, match="nonsense cannot be decoded"):
        Reencoder(unchanged).feed(picture)


def test_a_zone_is_hidden_in_every_picture_of_the_file(tmp_path: Path) -> None:
    pictures = pictures_of(write_numbered(tmp_path / "camera.mp4", 31))
    veil = Veil(Privacy(zones=(LEFT_HALF,)), heads_of=nobody)
    path = write(tmp_path / "clip.mp4", encoded(pictures, veil.over))
    n_shown = 0
    with Decoder(video_file(path)) as decoder:
        for picture in decoder:
            n_shown += 1
            hidden = picture.planes.y[:, :150].astype(int)
            assert abs(hidden - 126).max() <= 4
            assert picture.planes.y[:, 180:].std() > 20
    assert n_shown == 31


def nobody(_frame: Frame) -> Boxes:
    return np.empty((0, 4), np.float32)


def grey(at_s: float) -> Frame:
    dice = np.random.default_rng(3)
    y = dice.integers(16, 236, (96, 128), np.uint8)
    half = np.full((48, 64), 128, np.uint8)
    return Frame(y, half, half, captured_at=NOON + timedelta(seconds=at_s))


class Walker:
    """Finds one head, further to the right at every look; nothing once the detector is away."""

    def __init__(self) -> None:
        self.looks: list[float] = []
        self.is_away = False

    def heads_of(self, frame: Frame) -> Boxes | None:
        self.looks.append((frame.captured_at - NOON).total_seconds())
        if self.is_away:
            return None
        left = 30.0 * (len(self.looks) - 1)
        return np.array([[left, 10, left + 20, 30]], np.float32)


def is_hidden(frame: Frame, left: int) -> bool:
    """Return whether there is no detail left where the head would be: one block, or two."""
    changes = np.diff(frame.y[12:22, left : left + 8].astype(int), axis=1) != 0
    return int(changes.any(axis=0).sum()) <= 1


def test_a_head_is_hidden_where_it_was_and_where_it_is_next() -> None:
    walker = Walker()
    veil = Veil(Privacy(hides_faces=True), walker.heads_of)
    for frame in veil.over([grey(0), grey(1), grey(2)]):
        assert is_hidden(frame, 8)
        assert is_hidden(frame, 38)
        assert not is_hidden(frame, 78)
    for frame in veil.over([grey(3), grey(4), grey(5)]):
        assert not is_hidden(frame, 4)
        assert is_hidden(frame, 38)
        assert is_hidden(frame, 68)
    assert walker.looks == [0, 2, 5]


def test_while_nobody_can_tell_where_heads_are_nothing_is_shown() -> None:
    walker = Walker()
    veil = Veil(Privacy(hides_faces=True), walker.heads_of)
    assert veil.over([grey(0)])[0].y.std() > 0
    walker.is_away = True
    for frame in veil.over([grey(1), grey(2)]):
        assert len(np.unique(frame.y)) == 1
    walker.is_away = False
    walker.looks.clear()
    for frame in veil.over([grey(3), grey(4), grey(5)]):
        assert frame.y.std() > 0
        assert is_hidden(frame, 8)
        assert is_hidden(frame, 38)
    assert walker.looks == [3, 5]


def test_who_hides_no_faces_is_not_asked_for_heads() -> None:
    walker = Walker()
    Veil(Privacy(zones=(SQUARES,)), walker.heads_of).over([grey(0), grey(1)])
    assert walker.looks == []
