"""Videos come apart into planes; what is no video says so."""

import os
import socket
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from processing.media.decode import (
    Decoder,
    NotAVideo,
    Picture,
    SourceLost,
    stream,
    usb_camera,
    video_file,
)
from tests.processing.media.videos import pictures, write_video


def test_it_works(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", pictures(12))
    with Decoder(video_file(path)) as decoder:
        assert decoder.fps == pytest.approx(10.0)
        shown = list(decoder)
    assert [picture.at_s for picture in shown] == pytest.approx([n / 10 for n in range(12)])
    for number, picture in enumerate(shown):
        assert (picture.planes.width, picture.planes.height) == (64, 48)
        limited = 16 + (20 + 4 * number) * 219 / 255
        assert abs(float(picture.planes.y.mean()) - limited) < 3


def test_pictures_kept_are_not_overwritten_by_later_ones(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", pictures(40))
    with Decoder(video_file(path)) as decoder:
        kept, copies = [], []
        for picture in decoder:
            kept.append(picture.planes)
            copies.append((picture.planes.y.copy(), picture.planes.u.copy()))
    for planes, (y, u) in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(planes.y, y)
        np.testing.assert_array_equal(planes.u, u)


def test_planes_that_the_decoder_may_still_use_cannot_be_written_to(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", pictures(1))
    with Decoder(video_file(path)) as decoder:
        (picture,) = decoder
    with pytest.raises(ValueError, match="read-only"):
        picture.planes.y[0, 0] = 1


@pytest.mark.parametrize(
    ("codec", "pixels", "suffix"),
    [
        ("mjpeg", "yuvj420p", "avi"),
        ("mjpeg", "yuvj444p", "mkv"),
        ("ffv1", "bgr0", "avi"),
        ("ffv1", "yuv422p10le", "mkv"),
        ("ffv1", "gray", "nut.mkv"),
    ],
)
def test_other_formats_become_limited_range_i420(
    tmp_path: Path, codec: str, pixels: str, suffix: str
) -> None:
    white_to_black = [np.full((48, 64, 3), grey, np.uint8) for grey in (255, 128, 0)]
    path = write_video(tmp_path / f"a.{suffix}", white_to_black, codec=codec, pixels=pixels)
    with Decoder(video_file(path)) as decoder:
        shown = [picture.planes for picture in decoder]
    means = [float(planes.y.mean()) for planes in shown]
    assert means == pytest.approx([235, 126, 16], abs=2)
    assert [float(planes.u.mean()) for planes in shown] == pytest.approx([128] * 3, abs=2)


def test_odd_sizes_have_chroma_rounded_up(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "a.mkv", pictures(2, width=63, height=47), codec="ffv1", pixels="yuv420p"
    )
    with Decoder(video_file(path)) as decoder:
        planes = next(iter(decoder)).planes
    assert (planes.width, planes.height) == (63, 47)
    assert planes.u.shape == (24, 32)


@pytest.mark.parametrize("content", [b"", b"hello " * 1000, os.urandom(4096)], ids="012")
def test_what_is_no_video_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(NotAVideo, match=r"a\.mp4 is not a video"):
        Decoder(video_file(tmp_path / "a.mp4"))


def test_a_list_of_other_files_is_not_followed(tmp_path: Path) -> None:
    write_video(tmp_path / "secret.mp4", pictures(3))
    (tmp_path / "a.m3u8").write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:9,\n{tmp_path}/secret.mp4\n#EXT-X-ENDLIST\n"
    )
    (tmp_path / "a.ffconcat").write_text("ffconcat version 1.0\nfile secret.mp4\n")
    for name in ("a.m3u8", "a.ffconcat"):
        with pytest.raises(NotAVideo):
            Decoder(video_file(tmp_path / name))


def test_a_video_cut_short_gives_what_is_left_then_ends(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.ts", pictures(50), codec="mpeg2video", fps=25)
    os.truncate(path, path.stat().st_size // 2)
    with Decoder(video_file(path)) as decoder:
        assert 0 < len(list(decoder)) < 50


def test_a_file_without_video_in_it_says_so(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", pictures(20))
    content = path.read_bytes()
    start = content.index(b"mdat") + 4
    end = content.index(b"moov") - 4
    path.write_bytes(content[:start] + bytes(end - start) + content[end:])
    with Decoder(video_file(path)) as decoder, pytest.raises(NotAVideo):
        list(decoder)


def test_a_missing_file_and_a_missing_camera_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceLost, match=r"gone\.mp4 does not exist"):
        Decoder(video_file(tmp_path / "gone.mp4"))
    with pytest.raises(SourceLost, match="/dev/video63 does not exist"):
        Decoder(usb_camera(63))


def test_a_camera_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(SourceLost, match="refused") as caught:
        Decoder(stream("rtsp://admin:hunter2@127.0.0.1:1/live"))
    assert "hunter2" not in str(caught.value)
    assert "rtsp://127.0.0.1/live" in str(caught.value)


def test_a_camera_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"rtsp://127.0.0.1:{server.getsockname()[1]}/live"
        silent = replace(stream(url), open_timeout_s=0.5, read_timeout_s=0.5)
        with pytest.raises(SourceLost, match="is silent"):
            Decoder(silent)


def test_a_stream_that_ends_is_lost_not_over(tmp_path: Path) -> None:
    content = write_video(tmp_path / "a.mpg", pictures(20), codec="mpeg1video", fps=25).read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_serve_once, args=(server, content)).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/live.mpg"
        shown: list[Picture] = []
        with Decoder(stream(url)) as decoder, pytest.raises(SourceLost, match="ended the stream"):
            shown.extend(decoder)
    assert shown


@pytest.mark.parametrize("url", ["file:///etc/passwd", "concat:a|b", "/etc/passwd", "ftp://x/y"])
def test_other_addresses_are_no_streams(url: str) -> None:
    with pytest.raises(SourceLost, match="not an address of a stream"):
        stream(url)


def _serve_once(server: socket.socket, content: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        head = f"HTTP/1.0 200 OK\r\nContent-Length: {len(content)}\r\n\r\n"
        connection.sendall(head.encode() + content)
