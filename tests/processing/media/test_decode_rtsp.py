"""Pictures come over RTSP, and a camera that goes away or falls silent is noticed."""

from dataclasses import replace

import pytest

from processing.media.decode import Decoder, SourceLost, stream
from tests.processing.media.rtsp_camera import HEIGHT, WIDTH, rtsp_camera


def test_it_works() -> None:
    with rtsp_camera() as camera, Decoder(stream(camera.url)) as decoder:
        shown = [picture for picture, _ in zip(decoder, range(10), strict=False)]
    assert {(picture.planes.width, picture.planes.height) for picture in shown} == {(WIDTH, HEIGHT)}
    times = [picture.at_s for picture in shown]
    assert times == sorted(set(times))


def test_a_camera_that_is_unplugged_is_lost() -> None:
    with rtsp_camera() as camera, Decoder(stream(camera.url)) as decoder:
        pictures = iter(decoder)
        next(pictures)
        camera.unplug()
        with pytest.raises(SourceLost, match="rtsp://127") as caught:
            list(pictures)
    assert "secret" not in str(caught.value)


def test_a_camera_that_falls_silent_is_given_up() -> None:
    with rtsp_camera() as camera:
        source = replace(stream(camera.url), read_timeout_s=0.5)
        with Decoder(source) as decoder:
            pictures = iter(decoder)
            next(pictures)
            camera.fall_silent()
            with pytest.raises(SourceLost, match=r"sent nothing for 0\.5 s"):
                list(pictures)
