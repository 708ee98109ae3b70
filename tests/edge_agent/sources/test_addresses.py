"""A hub that was taken over names what is opened: cameras and one folder's videos, no more."""

import threading
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from edge_agent.clock import utc_now
from edge_agent.sources.address import file_in, open_feed, open_passage
from edge_agent.sources.file import PlayedFile
from edge_agent.sources.live import LiveFeed
from processing.media.decode import SourceLost
from processing.wire.camera import DesiredCamera, Streams
from tests.processing.media.videos import pictures, write_video

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.stream import VideoStream


def camera(source: str, *, clip_source: str = "") -> DesiredCamera:
    streams = Streams(clip_source=clip_source)
    return DesiredCamera(camera_id=UUID(int=1), name="Gate", source=source, streams=streams)


class Nobody:
    """A `PacketTap` that does not care."""

    def begin(self, stream: "VideoStream") -> None: ...

    def take(self, packet: "Packet[VideoStream]", at: datetime) -> None: ...

    def end(self) -> None: ...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for videos, and a video beside it that is nobody's business."""
    folder = tmp_path / "videos"
    (folder / "more").mkdir(parents=True)
    write_video(folder / "street.mp4", pictures(3))
    write_video(folder / "more" / "barn.mp4", pictures(3))
    write_video(tmp_path / "secret.mp4", pictures(3))
    (folder / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (folder / "inner.mp4").symlink_to(folder / "street.mp4")
    (folder / "loop.mp4").symlink_to(folder / "loop.mp4")
    (folder / "out").symlink_to(tmp_path)
    return folder


@pytest.mark.parametrize("name", ["street.mp4", "more/barn.mp4", "inner.mp4"])
def test_it_works(folder: Path, name: str) -> None:
    feed = open_feed(camera(f"file:{name}"), None, files_dir=folder, now=utc_now)
    assert isinstance(feed, PlayedFile)
    assert next(feed.frames(threading.Event())).width == 64


@pytest.mark.parametrize(
    "address",
    ["rtsp://10.0.0.7/main", "rtsps://u:p@cam:322/x", "http://cam/a.ts", "https://cam/", "usb:0"],
)
def test_cameras_may_be_named(address: str) -> None:
    assert isinstance(open_feed(camera(address), None, files_dir=None, now=utc_now), LiveFeed)


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "../secret.mp4", "more/../../secret.mp4", "link.mp4", "out/secret.mp4",
        "loop.mp4", "/etc/passwd", "//etc/passwd", "more", "nothing.mp4", "~/x.mp4",
        "street.mp4/../../secret.mp4", "file:street.mp4",
    ],
)  # fmt: skip
def test_no_other_file_can_be_named(folder: Path, name: str) -> None:
    with pytest.raises(SourceLost, match="file"):
        file_in(folder, name)


def test_without_a_folder_no_file_is_played() -> None:
    with pytest.raises(SourceLost, match="files_dir"):
        open_feed(camera("file:street.mp4"), None, files_dir=None, now=utc_now)


@pytest.mark.parametrize(
    "address",
    [
        "", "street.mp4", "/etc/passwd", "concat:a|b", "subfile,,start,0,end,9,,:/etc/passwd",
        "data:text/plain,x", "async:file:/etc/passwd", "cache:/etc/passwd", "gopher://x/",
        "tcp://127.0.0.1:22", "udp://127.0.0.1:1", "ftp://x/y", "pipe:0", "fd:0", "unix:/x",
        "lavfi:testsrc", "FILE:street.mp4", "File:street.mp4", "usb:", "usb:-1", "usb:0x1",
        "usb:/dev/sda", "usb:1234", "usb:0\n", "crypto:file:/etc/passwd", "rtsp:", "\x00",
        "rtsp://[::1/x", "httpproxy://x", "file\x00:street.mp4", "rtmp://x/y", "srt://x:1",
        "hls+file:///etc/passwd", "ffconcat version 1.0\nfile /etc/passwd", "x" * 3000,
    ],
)  # fmt: skip
def test_nothing_else_is_opened(folder: Path, address: str) -> None:
    stop = threading.Event()
    with pytest.raises(SourceLost):
        next(open_feed(camera(address), None, files_dir=folder, now=utc_now).frames(stop))
    main = camera("usb:0", clip_source=address)
    with pytest.raises(SourceLost):
        next(open_passage(main, Nobody(), files_dir=folder, now=utc_now).packets(stop))


def test_a_main_stream_may_be_a_file_of_the_folder(folder: Path) -> None:
    main = camera("usb:0", clip_source="file:street.mp4")
    passage = open_passage(main, Nobody(), files_dir=folder, now=utc_now)
    assert len(list(islice(passage.packets(threading.Event()), 4))) == 4


def test_no_reason_ever_holds_the_password() -> None:
    feed = open_feed(
        camera("rtsp://admin:hunter2@127.0.0.1:9/x"), None, files_dir=None, now=utc_now
    )
    with pytest.raises(SourceLost) as lost:
        next(feed.frames(threading.Event()))
    assert "hunter2" not in str(lost.value)
