"""Pictures are decoded as large as networks see them, and boxes are still where they were."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from processing.inference.input_spec import InputSpec, ResizeMode
from processing.inference.placement import place
from processing.tier.contract import BadInquiry, Pixels
from processing.tier.judging.decoding import Size, decode, read_size, reduction_for
from processing.vision.detections import Detections


def spec(side: int = 64, resize: ResizeMode = "letterbox-center") -> InputSpec:
    return InputSpec(
        tensor="image",
        width=side,
        height=side,
        colour="bgr",
        mean=(0.0, 0.0, 0.0),
        scale=(1.0, 1.0, 1.0),
        resize=resize,
    )


def shapes(width: int, height: int) -> NDArray[np.uint8]:
    """Return smooth BGR, which survives JPEG."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([x, y, 255 - x], axis=-1).astype(np.uint8)


def jpeg(bgr: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, 95))[1].tobytes()


def png(bgr: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", bgr)[1].tobytes()


def pixels(bgr: NDArray[np.uint8]) -> Pixels:
    return Pixels(bgr[:, :, ::-1])


WAYS = pytest.mark.parametrize("way", [jpeg, png, pixels])
Way = Callable[[NDArray[np.uint8]], "bytes | Pixels"]


@WAYS
def test_it_works(way: Way) -> None:
    decoded = decode(way(shapes(60, 40)), spec())
    assert decoded.size == Size(60, 40)
    assert (decoded.frame.width, decoded.frame.height) == (60, 40)


@WAYS
@pytest.mark.parametrize(
    ("side", "width"), [(100, 100), (190, 190), (200, 100), (400, 100), (1001, 126)]
)
def test_a_large_one_is_decoded_to_less(way: Way, side: int, width: int) -> None:
    decoded = decode(way(shapes(side, side)), spec())
    assert decoded.size == Size(side, side)
    assert (decoded.frame.width, decoded.frame.height) == (width, width)


@WAYS
def test_all_ways_see_the_same(way: Way) -> None:
    expected = decode(pixels(shapes(300, 300)), spec())
    decoded = decode(way(shapes(300, 300)), spec())
    for plane in ("y", "u", "v"):
        one, other = getattr(decoded.frame, plane), getattr(expected.frame, plane)
        assert np.abs(one.astype(int) - other.astype(int)).max() <= 6


@given(
    st.integers(1, 9000),
    st.integers(1, 9000),
    st.integers(2, 64),
    st.sampled_from(["stretch", "letterbox-center"]),
)
def test_a_network_always_has_pixels_to_spare(
    width: int, height: int, half: int, resize: ResizeMode
) -> None:
    """But not twice what it needs, unless the picture is huge."""
    needs = spec(16 * half, resize)
    reduction = reduction_for(Size(width, height), needs)
    drawn = place(needs, width, height)
    if reduction > 1:
        assert width / reduction >= 1.5 * drawn.width
        assert height / reduction >= 1.5 * drawn.height
    if reduction < 8:
        ratios = (width / drawn.width, height / drawn.height)
        assert min(ratios) < 2 * 1.5 * reduction


def test_boxes_are_in_pixels_of_the_picture_as_it_was_sent() -> None:
    decoded = decode(jpeg(shapes(401, 399)), spec())
    assert (decoded.frame.width, decoded.frame.height) == (101, 100)
    whole = Detections(
        np.array([[0, 0, 101, 100]], np.float32),
        np.array([0.5], np.float32),
        np.array([0], np.int32),
    )
    np.testing.assert_allclose(decoded.to_sent(whole).xyxy, [[0, 0, 401, 399]])


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        (b"", "not a JPEG"),
        (b"GIF89a", "not a JPEG"),
        (b"\xff\xd8\xff", "damaged"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"\xff\xd8" + b"\xff" * 1_000_000, "damaged"),
        (b"\xff\xd8" + b"\xff\xe0\x00\x02" * 500_000, "damaged"),
        (jpeg(shapes(20, 20))[:-2], "cut short"),
        (Pixels(np.zeros((0, 5, 3), np.uint8)), "5 x 0"),
    ],
    ids=["empty", "gif", "no header", "no size", "padding", "markers", "cut", "no pixels"],
)
def test_what_is_no_picture_is_refused(shown: bytes | Pixels, says: str) -> None:
    with pytest.raises(BadInquiry, match=says):
        decode(shown, spec())


def test_bombs_are_refused_by_their_headers() -> None:
    whole = jpeg(shapes(64, 64))
    at = whole.index(b"\xff\xc0") + 5
    for bomb in (
        whole[:at] + b"\xff\xff\xff\xff" + whole[at + 4 :] + bytes(10_000_000),
        whole[:at] + b"\x0f\xff\x0f\xff" + whole[at + 4 :],
        png(shapes(64, 64))[:16] + (5000).to_bytes(4) * 2 + png(shapes(64, 64))[24:],
    ):
        with pytest.raises(BadInquiry, match=r"pixels|cut short"):
            read_size(bomb)


def test_a_jpeg_of_a_thousand_scans_is_refused() -> None:
    """Each scan goes over all pixels again, in a few bytes: a small file keeps a core for long."""
    flags = (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    whole = cv2.imencode(".jpg", shapes(64, 64), flags)[1].tobytes()
    scan = whole[whole.rindex(b"\xff\xda") : -2]
    assert decode(whole, spec()).size == Size(64, 64)
    with pytest.raises(BadInquiry, match="scans"):
        decode(whole[:-2] + scan * 1000 + whole[-2:], spec())


def test_a_png_that_claims_a_huge_chunk_is_refused() -> None:
    whole = png(shapes(64, 64))
    at = whole.index(b"IDAT") - 4
    for bomb in (
        whole[:at] + (2**31 - 1).to_bytes(4) + whole[at + 4 :],
        whole[:at] + (2**31 - 1).to_bytes(4) + b"zzzz" + whole[at:],
        whole[:at] + b"\0\0\0\0zzzz\0\0\0\0" * 50_000 + whole[at:],
    ):
        with pytest.raises(BadInquiry, match=r"cut short|chunks"):
            decode(bomb, spec())
    note = b"\0\0\0\4tEXthi\0!\0\0\0\0"
    assert decode(whole[:at] + note + whole[at:], spec()).size == Size(64, 64)


@pytest.mark.parametrize(
    "flags",
    [
        (),
        (
            cv2.IMWRITE_JPEG_PROGRESSIVE,
            1,
            cv2.IMWRITE_JPEG_OPTIMIZE,
            1,
            cv2.IMWRITE_JPEG_QUALITY,
            1,
        ),
    ],
)
def test_a_grey_wall_is_no_bomb(flags: tuple[int, ...]) -> None:
    wall = cv2.imencode(".jpg", np.full((2000, 2000, 3), 77, np.uint8), flags)[1].tobytes()
    assert decode(wall, spec()).size == Size(2000, 2000)
