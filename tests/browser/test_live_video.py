"""A real agent's camera in a real browser: as video, with boxes in step, and never unmasked."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from deploy import browser_files
from tests.browser.conftest import PATIENCE_MS, Complaints, log_in
from tests.browser.moving_block import STEP, write_moving_block
from tests.journeys.processes import Agent, Hub, Prepared, wait_for
from tests.processing.tiny_bundle import make_tiny_bundle

VIDEO, LARGE = "block.mp4", "large.mp4"
SLACK = STEP / 2 + 8
"""Pixels of the video: so much wider are the tiny bundle's boxes than the block, with strokes."""

WISH = """async ([id, wish]) => {
  const token = document.cookie.match(/csrftoken=([^;]+)/)[1];
  const answer = await fetch(`/api/v1/cameras/${id}/`, {
    method: "PATCH",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
    body: JSON.stringify(wish),
  });
  return answer.ok;
}"""
ALL_OF_IT = [[[0, 0], [1, 0], [1, 1], [0, 1]]]

WATCH_CHANGES = """
window.changes = [];
new MutationObserver((changes) => {
  for (const { target } of changes) {
    if (!target.matches("[data-mode=video] [data-video].is-shown")) continue;
    window.changes.push({ width: target.videoWidth, hasPicture: target.readyState >= 2 });
  }
}).observe(document, { subtree: true, attributeFilter: ["class"] });
"""

SHOWN_IN_STEP = """(slack) => new Promise((resolve) => {
  const root = document.querySelector("[data-live-view]");
  const video = document.querySelector("[data-video]");
  const overlay = document.querySelector("[data-overlay]");
  const copy = document.createElement("canvas");
  const extent = (context, width, height, scale, isThere) => {
    const { data } = context.getImageData(0, Math.round(height / 2), width, 1);
    const there = [...Array(width).keys()].filter((x) => isThere(data.subarray(4 * x, 4 * x + 4)));
    return there.length ? [there[0] / scale, there.at(-1) / scale] : null;
  };
  const seen = [];
  const watch = new MutationObserver(() => {
    const { mode, boxes: n, apartMs } = root.dataset;
    if (mode !== "video" || n === "0" || Number(apartMs) > 20) return;
    [copy.width, copy.height] = [video.videoWidth, video.videoHeight];
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(video, 0, 0);
    const isRed = ([red, green]) => red > 150 && green < 90;
    const block = extent(context, copy.width, copy.height, 1, isRed);
    const ratio = overlay.width / overlay.clientWidth;
    const shown = Math.min(overlay.clientWidth, overlay.clientHeight);
    const scale = (ratio * shown) / video.videoWidth;
    const left = (overlay.clientWidth - shown) / 2 / shown * video.videoWidth;
    const isPainted = (pixel) => pixel[3] > 100, paint = overlay.getContext("2d");
    const boxes = extent(paint, overlay.width, overlay.height, scale, isPainted);
    if (!block || !boxes) return;
    const [from, to] = boxes.map((x) => x - left);
    seen.push(from >= block[0] - slack && to <= block[1] + slack);
    if (seen.length < 12) return;
    watch.disconnect();
    resolve(seen);
  });
  watch.observe(root, { attributeFilter: ["data-frames"] });
})"""

CAPTURED = """async (instants) => {
  const { Stamps } = await import("/static/js/live-stamps.js");
  const stamps = new Stamps();
  for (const at of instants) stamps.add(at, at * 100);
  const near = [-0.3, 0.3].map((off) => (at) => stamps.capturedAt(at + off));
  return [...instants].sort().flatMap((at) => near.map((capturedAt) => capturedAt(at)));
}"""

BETWEEN = """async (instants) => {
  const { FoundBoxes } = await import("/static/js/live-boxes.js");
  const boxes = new FoundBoxes();
  const found = (x0) => [{ track: 7, x0, y0: 0, x1: 1, y1: 1 }];
  boxes.add(1000, "bundle", found(0.1), 0);
  boxes.add(1400, "bundle", found(0.5), 0);
  return instants.map((at) => boxes.at(at)).map(
    ({ detections, apartMs }) => [Number(detections[0].x0.toFixed(3)), apartMs],
  );
}"""

LAG = """() => {
  const video = document.querySelector("[data-video]");
  return video.buffered.end(video.buffered.length - 1) - video.currentTime;
}"""

REDDEST = """() => {
  const { width, height } = document.querySelector("[data-picture]");
  const pixels = document.querySelector("[data-picture]").getContext("2d");
  const { data } = pixels.getImageData(0, 0, width, height);
  let most = 0;
  for (let at = 0; at < data.length; at += 4) most = Math.max(most, data[at] - data[at + 1]);
  return most;
}"""

NO_MEDIA_SOURCE = "delete window.MediaSource; delete window.ManagedMediaSource;"
BROKEN_MEDIA_SOURCE = """
MediaSource.prototype.addSourceBuffer = () => { throw new DOMException("broken on purpose"); };
"""


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, migrated: Path
) -> Iterator[tuple[Hub, Prepared]]:
    """A hub with one camera, which a real agent watches: a video with a block that moves."""
    folder = tmp_path_factory.mktemp("video")
    assert browser_files.main() == 0
    write_moving_block(folder / VIDEO)
    write_moving_block(folder / LARGE, scale=2)
    hub = Hub(folder)
    hub.take_tables(migrated)
    prepared = hub.prepare(source=f"file:{VIDEO}", is_new_agent=True)
    hub.start()
    agent = Agent(folder, hub=hub, bundle=make_tiny_bundle(folder / "tiny"), files_dir=folder)
    assert prepared.token is not None
    assert agent.enroll(prepared.token).returncode == 0
    hub.prepare(source=f"file:{VIDEO}", is_new_agent=False)
    agent.start()
    yield hub, prepared
    agent.stop()
    hub.stop()


@pytest.fixture(scope="module")
def hub(running: tuple[Hub, Prepared]) -> Hub:
    """The hub alone."""
    return running[0]


@pytest.fixture
def context(
    chromium: Browser, hub: Hub, admitted: Path, request: pytest.FixtureRequest
) -> Iterator[BrowserContext]:
    """A browser in which the admin is logged in; a test's parameter is run before its pages."""
    context = chromium.new_context(
        storage_state=admitted, base_url=hub.url, viewport={"width": 1440, "height": 900}
    )
    context.set_default_timeout(PATIENCE_MS)
    if script := getattr(request, "param", ""):
        context.add_init_script(script)
    yield context
    context.close()


@pytest.fixture(scope="module")
def admitted(
    chromium: Browser,
    running: tuple[Hub, Prepared],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The cookies of the admin, logged in."""
    kept = tmp_path_factory.mktemp("cookies") / "admin.json"
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE_MS)
    log_in(context.new_page(), *running)
    context.storage_state(path=kept)
    context.close()
    return kept


@pytest.fixture(autouse=True)
def _read_back(complaints: Complaints) -> None:
    """Chromium finds it slow that the tests, and only they, read canvases back."""
    complaints.expected = ("willReadFrequently",)


@pytest.fixture
def camera(page: Page, hub: Hub) -> Page:
    """The camera's page."""
    page.goto("/")
    link = page.locator("[data-wall] a").first
    wait_for("the camera is on the wall", lambda: page.reload() is not None and link.count() == 1)
    link.click()
    page.wait_for_selector("[data-live-view]")
    return page


def until_it_shows(page: Page, mode: str) -> None:
    """Wait for some pictures or some of the video."""
    page.wait_for_function(
        "m => document.querySelector('[data-live-view]').dataset.mode === m", arg=mode
    )
    seen = int(page.locator("[data-live-view]").get_attribute("data-frames") or 0)
    page.wait_for_function(
        "n => Number(document.querySelector('[data-live-view]').dataset.frames) >= n", arg=seen + 5
    )


def wish(page: Page, **wanted: object) -> None:
    """Want something else of the camera."""
    camera_id = page.url.rstrip("/").rsplit("/", 1)[1]
    assert page.evaluate(WISH, [camera_id, wanted])


def test_it_plays_with_boxes_in_step(camera: Page) -> None:
    until_it_shows(camera, "video")
    assert camera.evaluate(SHOWN_IN_STEP, SLACK) == [True] * 12
    wait_for("it is close to what is newest", lambda: 0 < camera.evaluate(LAG) < 3)


def test_between_two_pictures_a_track_moves_evenly(camera: Page) -> None:
    at = {"before": 1000, "a fifth": 1080, "most of it": 1300, "after": 1400, "beyond": 1500}
    placed = camera.evaluate(BETWEEN, list(at.values()))
    assert placed == [[0.1, 0], [0.18, 80], [0.4, 100], [0.5, 0], [0.5, 100]]


def test_a_picture_is_known_by_its_own_instant_however_they_were_sent(camera: Page) -> None:
    sent = [1, 5, 3, 2, 4, 9, 7, 6, 8]
    captured = camera.evaluate(CAPTURED, sent)
    assert captured == [at * 100 for at in sorted(sent) for _ in range(2)]


def test_a_masked_camera_is_shown_by_covered_pictures(camera: Page) -> None:
    until_it_shows(camera, "video")
    wish(camera, privacy={"zones": ALL_OF_IT})
    try:
        until_it_shows(camera, "pictures")
        wait_for("what it shows is covered", lambda: camera.evaluate(REDDEST) < 20)
    finally:
        wish(camera, privacy={"zones": []})
    until_it_shows(camera, "video")


def test_who_looks_large_sees_the_main_stream_and_never_nothing(camera: Page) -> None:
    wish(camera, streams={"clip_source": f"file:{LARGE}"})
    try:
        camera.add_init_script(WATCH_CHANGES)
        camera.reload()
        camera.wait_for_function("() => changes.at(-1)?.width === 640")
        until_it_shows(camera, "video")
        camera.wait_for_function(
            "() => Number(document.querySelector('[data-live-view]').dataset.boxes) > 0"
        )
        camera.set_viewport_size({"width": 300, "height": 600})
        camera.wait_for_function("() => changes.at(-1).width === 320")
        camera.set_viewport_size({"width": 1440, "height": 900})
        camera.wait_for_function("() => changes.at(-1).width === 640")
        assert camera.evaluate("() => changes.every(({ hasPicture }) => hasPicture)")
    finally:
        wish(camera, streams={"clip_source": ""})


@pytest.mark.parametrize(
    "context", [NO_MEDIA_SOURCE, BROKEN_MEDIA_SOURCE], indirect=True, ids=["none", "broken"]
)
def test_where_video_does_not_play_pictures_do(camera: Page) -> None:
    until_it_shows(camera, "pictures")
    assert camera.locator("[data-live-view]").get_attribute("data-mode") == "pictures"
