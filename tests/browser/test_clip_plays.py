"""The clips that an agent makes play in a browser, and show the moment that they are about."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page

from edge_agent.clips.shelf import ClipShelf
from processing.wire.camera import Privacy
from tests.browser.conftest import PATIENCE_MS
from tests.edge_agent.clips.scenery import Camera, Scenery, after
from tests.processing.media.numbered import FPS, write_numbered

WIDTH, HEIGHT = 640, 360
PAGE = b"<!doctype html><title>clip</title><video muted playsinline></video>"
OPEN = """async name => {
  // As a blob: our server cannot send a part of a file, and without that nobody can seek.
  const clip = await (await fetch(name)).blob();
  document.querySelector("video").src = URL.createObjectURL(clip);
}"""
SEEK = """async at_s => {
  const video = document.querySelector("video");
  video.pause();
  await new Promise(done => {
    video.addEventListener("seeked", done, {once: true});
    video.currentTime = at_s;
  });
}"""
SHOWS = """number => {
  const video = document.querySelector("video");
  const canvas = Object.assign(document.createElement("canvas"), {width: 640, height: 360});
  const pen = canvas.getContext("2d");
  pen.drawImage(video, 0, 0);
  const isWhite = bit => pen.getImageData(bit * 32 + 16, 16, 1, 1).data[0] > 128;
  const seen = [...Array(10).keys()].reduce((sum, bit) => sum + (isWhite(bit) ? 1 << bit : 0), 0);
  return seen === number;
}"""


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    extensions_map = {".mp4": "video/mp4", ".html": "text/html"}

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def scenery(tmp_path: Path) -> Scenery:
    folder = tmp_path / "clips"
    scenery = Scenery(folder, ClipShelf(folder, max_mb=100, max_days=9, free=lambda _: 10**12))
    scenery.may_look.set()
    return scenery


@pytest.fixture
def open_clip(scenery: Scenery, chromium: Browser) -> Iterator[Callable[[Path], Page]]:
    """Show a file of the shelf in a page of its own."""
    (scenery.folder / "page.html").write_bytes(PAGE)
    handler = partial(QuietHandler, directory=str(scenery.folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE_MS)

    def show(file: Path) -> Page:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/page.html")
        page.evaluate(OPEN, file.name)
        page.wait_for_function("document.querySelector('video').readyState >= 3")
        return page

    try:
        yield show
    finally:
        context.close()
        server.shutdown()
        server.server_close()
        thread.join()


def record(scenery: Scenery, film: Path, privacy: Privacy) -> Path:
    """Return the clip of an event at 9.5 s of a film: from 6.5 s to 12 s and what its key needs."""
    event_id = uuid4()
    with scenery.recorder(privacy=privacy) as recorder:
        camera = Camera(film, recorder)
        camera.play_until(10.0)
        recorder.begin_event(event_id, after(9.5))
        recorder.end_event(event_id, after(10.0))
        camera.play_until(14.0)
        clip = scenery.clip(event_id)
        camera.unplug()
    return clip


class Kind(NamedTuple):
    """A camera, what its clips hide, and the picture that they begin with."""

    codec: str
    suffix: str
    options: dict[str, str]
    privacy: Privacy
    first: int


KINDS = {
    "as sent": Kind("libx264", "mp4", {}, Privacy(), 60),
    "sent out of order": Kind("libx264", "ts", {"bf": "2", "b_strategy": "0"}, Privacy(), 60),
    "masked": Kind(
        "libx264", "mp4", {}, Privacy(zones=(((0, 0.5), (1, 0.5), (1, 1), (0, 1)),)), 60
    ),
    "encoded anew": Kind("mjpeg", "avi", {}, Privacy(), 65),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_it_plays_and_has_its_moment(
    scenery: Scenery, open_clip: Callable[[Path], Page], tmp_path: Path, kind: Kind
) -> None:
    film = write_numbered(
        tmp_path / f"film.{kind.suffix}",
        150,
        codec=kind.codec,
        options=kind.options,
        size=(WIDTH, HEIGHT),
    )
    first = kind.first
    page = open_clip(record(scenery, film, kind.privacy))
    video = page.locator("video")
    assert video.evaluate("video => [video.videoWidth, video.videoHeight]") == [WIDTH, HEIGHT]
    seconds = video.evaluate("video => video.duration")
    assert seconds == pytest.approx((121 - first) / FPS, abs=1 / FPS)
    for number in (first, first + 1, 95, 119):
        page.evaluate(SEEK, (number - first + 0.5) / FPS)
        page.wait_for_function(SHOWS, arg=number)  # it is painted a little later
    video.evaluate("video => { video.currentTime = 0; return video.play(); }")
    page.wait_for_function("document.querySelector('video').currentTime > 1.5")
    assert video.evaluate("video => video.error") is None
