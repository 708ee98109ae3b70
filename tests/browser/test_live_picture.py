"""The live picture: drawn with its boxes in step, and only while somebody looks."""

from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints
from tests.browser.simulated_agent import COLOURS, SimulatedAgent
from tests.journeys.processes import wait_for

CAR_RGB = tuple(reversed(COLOURS[2]))

IN_STEP = """([red, green, blue]) => {
  const picture = document.querySelector("[data-picture]");
  const overlay = document.querySelector("[data-overlay]");
  const { width, height } = picture;
  const { data } = picture.getContext("2d").getImageData(0, 0, width, height);
  let left = width, right = 0, top = height, bottom = 0;
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) {
    const at = 4 * (y * width + x);
    const far = [red, green, blue].map((value, i) => Math.abs(data[at + i] - value));
    if (Math.max(...far) > 30) continue;
    left = Math.min(left, x); right = Math.max(right, x);
    top = Math.min(top, y); bottom = Math.max(bottom, y);
  }
  if (right - left < 20) return null; // the car has just begun another round
  const scale = overlay.width / width, paint = overlay.getContext("2d");
  const isPainted = (x, y) => {
    const [column, row] = [Math.round(x * scale) - 4, Math.round(y * scale) - 4];
    const { data } = paint.getImageData(column, row, 9, 9);
    return data.some((value, index) => index % 4 === 3 && value > 100);
  };
  const middle = (top + bottom) / 2;
  return [isPainted(left, middle), isPainted(right, middle), isPainted((left + right) / 2, bottom)];
}"""

PAINTED = """() => {
  const overlay = document.querySelector("[data-overlay]");
  const { data } = overlay.getContext("2d").getImageData(0, 0, overlay.width, overlay.height);
  let n = 0;
  for (let at = 3; at < data.length; at += 4) if (data[at] > 0) n += 1;
  return n;
}"""


@pytest.fixture(autouse=True)
def _read_back(complaints: Complaints) -> None:
    """Chromium finds it slow that the tests, and only they, read canvases back."""
    complaints.expected = ("willReadFrequently",)


def wait_for_pictures(page: Page, n: int) -> None:
    page.wait_for_function(
        "n => Number(document.querySelector('[data-live-view]').dataset.frames) >= n", arg=n
    )


def test_it_works(camera_page: Page) -> None:
    wait_for_pictures(camera_page, 5)
    view = camera_page.locator("[data-live-view]")
    expect(view).to_have_attribute("data-boxes", "4")
    assert camera_page.evaluate(PAINTED) > 1000
    expect(camera_page.locator("[data-veil]")).to_be_hidden()
    expect(camera_page.locator("[data-fps]")).to_contain_text("fps")
    expect(camera_page.locator("[data-latency]")).to_contain_text("s")


def test_boxes_lie_on_the_things_of_the_same_frame(camera_page: Page) -> None:
    for n in range(5, 30, 5):
        wait_for_pictures(camera_page, n)
        edges = camera_page.evaluate(IN_STEP, list(CAR_RGB))
        assert edges in (None, [True, True, True]), edges


def test_boxes_and_classes_can_be_hidden(camera_page: Page) -> None:
    wait_for_pictures(camera_page, 3)
    view = camera_page.locator("[data-live-view]")
    camera_page.get_by_role("button", name="car").first.click()
    expect(view).to_have_attribute("data-boxes", "3")
    camera_page.keyboard.press("b")
    expect(view).to_have_attribute("data-boxes", "0")
    assert camera_page.evaluate(PAINTED) == 0
    camera_page.get_by_role("button", name="Boxes", exact=True).click()
    expect(view).to_have_attribute("data-boxes", "3")


def test_frames_travel_only_while_somebody_looks(camera_page: Page, agent: SimulatedAgent) -> None:
    camera_id = UUID(camera_page.url.rstrip("/").rsplit("/", 1)[1])
    wait_for_pictures(camera_page, 3)
    assert camera_id in agent.demanded
    camera_page.evaluate(
        """() => {
          Object.defineProperty(document, "hidden", { value: true, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    wait_for("nobody looks", lambda: camera_id not in agent.demanded)
    expect(camera_page.locator("[data-veil]")).to_be_visible()
    seen = int(camera_page.locator("[data-live-view]").get_attribute("data-frames") or 0)
    camera_page.evaluate(
        """() => {
          delete document.hidden;
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    wait_for_pictures(camera_page, seen + 3)
    camera_page.goto("/events/")
    wait_for("nobody looks again", lambda: camera_id not in agent.demanded)


def test_a_phone_that_is_turned_keeps_its_boxes_sharp(camera_page: Page) -> None:
    wait_for_pictures(camera_page, 3)
    camera_page.set_viewport_size({"width": 390, "height": 844})
    camera_page.wait_for_function(
        """() => {
          const overlay = document.querySelector("[data-overlay]");
          const stage = document.querySelector("[data-stage]");
          return overlay.width === Math.round(stage.clientWidth * devicePixelRatio);
        }"""
    )
    assert camera_page.evaluate(PAINTED) > 300
