"""Pictures to JPEG and back, and what strangers may send."""

import os

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from processing.media.colour import frame_from_bgr
from processing.media.jpeg import BadPicture, decode_jpeg, encode_jpeg, jpeg_size, read_jpeg_size
from tests.processing.tiny_bundle import AT, COLOURS, picture


def a_jpeg(width: int = 64, height: int = 48) -> bytes:
    smooth = np.linspace(0, 255, width, dtype=np.uint8)[None, :, None]
    bgr = np.broadcast_to(smooth, (height, width, 3))
    return encode_jpeg(frame_from_bgr(np.ascontiguousarray(bgr), captured_at=AT))


def test_it_works() -> None:
    bgr = picture(("red", 1, 1), ("blue", 4, 4), ("green", 6, 2), cell=32, width=256, height=192)
    back = decode_jpeg(encode_jpeg(frame_from_bgr(bgr, captured_at=AT), quality=95))
    assert back.shape == bgr.shape
    for colour, column, row in (("red", 1, 1), ("blue", 4, 4), ("green", 6, 2)):
        middle = back[row * 32 + 16, column * 32 + 16].astype(int)
        assert np.abs(middle - COLOURS[colour]).max() <= 6


def test_black_is_black_and_white_is_white() -> None:
    for grey in (0, 128, 255):
        flat = np.full((32, 32, 3), grey, np.uint8)
        back = decode_jpeg(encode_jpeg(frame_from_bgr(flat, captured_at=AT)))
        assert np.abs(back.astype(int) - grey).max() <= 2


def test_it_is_made_smaller_but_never_larger() -> None:
    frame = frame_from_bgr(np.zeros((720, 1280, 3), np.uint8), captured_at=AT)
    assert decode_jpeg(encode_jpeg(frame, max_width=640)).shape == (360, 640, 3)
    assert decode_jpeg(encode_jpeg(frame, max_width=4000)).shape == (720, 1280, 3)


@given(st.integers(2, 5000), st.integers(2, 5000), st.none() | st.integers(2, 4000))
def test_its_size_is_even_and_no_larger_than_asked(
    width: int, height: int, max_width: int | None
) -> None:
    made = jpeg_size(width, height, max_width=max_width)
    assert not any(side % 2 for side in made)
    assert 2 <= made[0] <= min(width, max_width or width)
    assert 2 <= made[1] <= height


def test_odd_frames_can_be_encoded() -> None:
    frame = frame_from_bgr(np.full((47, 63, 3), 90, np.uint8), captured_at=AT)
    assert decode_jpeg(encode_jpeg(frame)).shape == (46, 62, 3)


def test_a_progressive_one_is_read_too() -> None:
    flags = (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    _, encoded = cv2.imencode(".jpg", np.zeros((40, 60, 3), np.uint8), flags)
    assert read_jpeg_size(encoded.tobytes()) == (60, 40)
    assert decode_jpeg(encoded.tobytes()).shape == (40, 60, 3)


def test_a_picture_of_too_many_pixels_is_refused_unopened() -> None:
    claims_huge = bytearray(a_jpeg())
    header = claims_huge.index(b"\xff\xc0")
    claims_huge[header + 5 : header + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(BadPicture, match="65535 x 65535"):
        decode_jpeg(bytes(claims_huge))


def test_a_picture_cut_short_is_refused() -> None:
    jpeg = a_jpeg()
    with pytest.raises(BadPicture, match="cut short"):
        decode_jpeg(jpeg[: len(jpeg) * 2 // 3])


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"<svg/>"])
def test_other_formats_are_refused(content: bytes) -> None:
    with pytest.raises(BadPicture, match="not a JPEG"):
        decode_jpeg(content)


@given(st.binary(max_size=300))
@example(b"\xff" * 100)
@example(b"\xc0\x00\x00")
def test_no_bytes_make_it_raise_anything_else(content: bytes) -> None:
    with pytest.raises(BadPicture):
        decode_jpeg(b"\xff\xd8" + content, max_pixels=1_000_000)


@given(st.data())
def test_a_damaged_picture_opens_or_is_refused(data: st.DataObject) -> None:
    jpeg = bytearray(a_jpeg())
    for _ in range(data.draw(st.integers(1, 4))):
        jpeg[data.draw(st.integers(0, len(jpeg) - 1))] = data.draw(st.integers(0, 255))
    try:
        bgr = decode_jpeg(bytes(jpeg), max_pixels=1_000_000)
    except BadPicture:
        return
    assert bgr.ndim == 3


def test_random_noise_is_refused() -> None:
    with pytest.raises(BadPicture):
        decode_jpeg(os.urandom(1000))
