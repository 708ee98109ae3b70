"""Cameras that send, stop sending, and send rubbish; over HTTP, which needs no camera."""

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from edge_agent.clock import utc_now
from edge_agent.sources.live import LiveFeed
from processing.media.decode import SourceLost, stream
from tests.edge_agent.entries import NOW
from tests.processing.media.videos import pictures, write_video


@contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler]) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/live"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def camera(
    *contents: bytes, kind: str = "video/mp2t", then_hang: threading.Event | None = None
) -> Iterator[str]:
    """Serve these to whoever asks; with `then_hang`, keep the connection open until it is set."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            for number, content in enumerate(contents):
                if number:
                    time.sleep(0.1)
                self.wfile.write(content)
                self.wfile.flush()
            if then_hang is not None:
                then_hang.wait(30)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            pass

    with serving(Handler) as url:
        try:
            yield url
        finally:
            if then_hang is not None:
                then_hang.set()


@contextmanager
def until_lost() -> Iterator[None]:
    """Expect the source to be lost in the end; a camera has no other end."""
    with pytest.raises(SourceLost):
        yield


@pytest.fixture
def film(tmp_path: Path) -> bytes:
    path = write_video(tmp_path / "a.ts", pictures(50), codec="mpeg2video", fps=25)
    return path.read_bytes()


def test_it_works_until_the_camera_ends(film: bytes) -> None:
    sizes = set()
    with camera(film) as url, until_lost():
        for frame in LiveFeed(stream(url), now=utc_now).frames(threading.Event()):
            sizes.add((frame.width, frame.height))
    assert sizes == {(64, 48)}


def test_frames_are_stamped_near_their_arrival_strictly_increasing(film: bytes) -> None:
    instants = []
    with camera(film) as url, until_lost():
        for frame in LiveFeed(stream(url), now=lambda: NOW).frames(threading.Event()):
            instants.append(frame.captured_at)  # noqa: PERF401  # the loop is ended by an error
    assert NOW - timedelta(seconds=1) < instants[0] <= NOW
    assert sorted(set(instants)) == instants


def test_a_backlog_is_not_taken_for_the_present(film: bytes) -> None:
    """All 50 pictures come at once: two seconds of them are not what is to be seen now."""
    n_frames = 0
    with camera(film) as url, until_lost():
        for _ in LiveFeed(stream(url), now=utc_now).frames(threading.Event()):
            n_frames += 1
    assert 1 <= n_frames < 25


def test_a_camera_that_stalls_is_noticed(film: bytes) -> None:
    with camera(film, then_hang=threading.Event()) as url:
        source = replace(stream(url), read_timeout_s=0.5)
        with pytest.raises(SourceLost, match=r"0\.5 s"):
            for _ in LiveFeed(source, now=utc_now).frames(threading.Event()):
                pass


@pytest.mark.parametrize("content", [b"", b"<html>login please</html>" * 50, bytes(100_000)])
def test_rubbish_is_told_as_such(content: bytes) -> None:
    with camera(content) as url, pytest.raises(SourceLost):
        next(LiveFeed(stream(url), now=utc_now).frames(threading.Event()))


def test_a_playlist_cannot_lead_to_a_file(tmp_path: Path) -> None:
    secret = write_video(tmp_path / "secret.ts", pictures(5), codec="mpeg2video", fps=25)
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{secret}\n#EXT-X-ENDLIST\n"
    with camera(playlist.encode()) as url, pytest.raises(SourceLost):
        next(LiveFeed(stream(url), now=utc_now).frames(threading.Event()))


@pytest.mark.parametrize("scheme", ["file://{}", "file:{}", "concat:{}", "crypto:{}", "data:,{}"])
def test_a_redirection_cannot_lead_to_a_file(tmp_path: Path, scheme: str) -> None:
    secret = write_video(tmp_path / "secret.ts", pictures(5), codec="mpeg2video", fps=25)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", scheme.format(secret))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
            pass

    with serving(Handler) as url, pytest.raises(SourceLost):
        next(LiveFeed(stream(url), now=utc_now).frames(threading.Event()))


def test_nobody_there_is_told() -> None:
    with pytest.raises(SourceLost, match=r"127\.0\.0\.1"):
        next(LiveFeed(stream("rtsp://127.0.0.1:9/x"), now=utc_now).frames(threading.Event()))


def test_a_camera_whose_pictures_have_no_clock_is_stamped_on_arrival(tmp_path: Path) -> None:
    """MJPEG over HTTP: FFmpeg would make up 25 a second, whatever really comes."""
    path = write_video(tmp_path / "a.mjpeg", pictures(6), codec="mjpeg", pixels="yuvj420p")
    begin = b"\xff\xd8"
    parts = [
        b"--next\r\nContent-Type: image/jpeg\r\n\r\n" + begin + jpeg + b"\r\n"
        for jpeg in path.read_bytes().split(begin)[1:]
    ]
    seconds = count()
    with camera(*parts, kind="multipart/x-mixed-replace; boundary=next") as url, until_lost():
        feed = LiveFeed(stream(url), now=lambda: NOW + timedelta(seconds=next(seconds)))
        for frame in feed.frames(threading.Event()):
            assert (frame.captured_at - NOW) % timedelta(seconds=1) == timedelta()
    assert next(seconds) > 6  # one reading of the clock a packet, and one a picture
