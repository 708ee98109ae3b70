"""A scripted labeler in a real Chromium: accepts, corrects, adds and deletes, as fast as it goes.

Ready means, looked at in every frame: another picture than the one that was submitted is open, all
of it has come, every box of it is drawn and listed; then two frames more.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, Literal, TypeAlias

from playwright.sync_api import Page, sync_playwright

from benchmarks.harness.benchmark import CannotMeasure

_CHROMIUM: Final = Path("/usr/bin/chromium")
_ARGUMENTS: Final = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run")
_TIMEOUT_MS: Final = 60_000
_SEED: Final = 7

Deed: TypeAlias = Literal["accept", "fix", "add", "delete"]
_OF_TWENTY: Final[dict[Deed, int]] = {"accept": 12, "fix": 6, "add": 1, "delete": 1}

_NOTING: Final = """
window.noted = { times: [], nActs: 0 };
const DECIDES = ["a", "Enter"];
const DRAWN = ".stage__frame .a9s-annotation:not(.a9s-rubberband)";
const isReady = (before) => {
  const editor = document.querySelector("[data-editor]");
  const image = editor.querySelector(".stage__frame img");
  const nListed = editor.querySelectorAll(".box-row").length;
  return location.pathname !== before && editor.dataset.state === "open" && image?.complete
    && image.naturalWidth && image.checkVisibility() && nListed > 0
    && editor.querySelectorAll(DRAWN).length === nListed;
};
const look = (before, since) => requestAnimationFrame(() => {
  if (!isReady(before)) return look(before, since);
  const note = () => noted.times.push(performance.now() - since);
  requestAnimationFrame(() => requestAnimationFrame(note));
});
window.addEventListener("pointerdown", () => noted.nActs++, { capture: true });
window.addEventListener("keydown", ({ key, timeStamp, isTrusted }) => {
  if (!isTrusted || ["Shift", "Control", "Alt"].includes(key)) return;
  noted.nActs++;
  if (DECIDES.includes(key)) look(location.pathname, timeStamp);
}, { capture: true });
"""


@dataclass(frozen=True)
class Worked:
    """What one session of work took."""

    ready_ms: list[float]
    """From each submit to the next picture drawn and ready for keys."""
    n_acts: int
    """Keys and presses of the pointer."""


def deeds(n: int) -> list[Deed]:
    """Return what is done with each of `n` items: 60 % accept, 30 % fix, 5 % add, 5 % delete."""
    random = Random(_SEED)  # noqa: S311 - the same order on every run
    rounds = [
        random.sample(list(_OF_TWENTY), 20, counts=_OF_TWENTY.values()) for _ in range(n // 20 + 1)
    ]
    return [deed for each in rounds for deed in each][:n]


@contextmanager
def chromium_page() -> Iterator[Page]:
    """Yield a page of an own Chromium."""
    if not os.access(_CHROMIUM, os.X_OK):
        raise CannotMeasure(f"there is no {_CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_ARGUMENTS))
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        page.set_default_timeout(_TIMEOUT_MS)
        yield page
        browser.close()


def work(page: Page, url: str, session_key: str, *, n: int) -> Worked:
    """Review `n` pictures; the queue holds one more, to come to after the last."""
    page.context.add_cookies([{"name": "sessionid", "value": session_key, "url": url}])
    page.add_init_script(_NOTING)
    page.goto(f"{url}/review/")
    page.get_by_role("button", name="Start reviewing").click()
    page.wait_for_selector("[data-editor][data-state=open]")
    page.wait_for_load_state("networkidle")
    page.evaluate("() => { noted.nActs = 0; }")
    for done, deed in enumerate(deeds(n), start=1):
        _do(page, deed)
        page.wait_for_function("(n) => noted.times.length === n", arg=done)
    page.wait_for_function(
        f"() => /^{n} done/.test(document.querySelector('[data-part=mine]').textContent)"
    )
    noted = page.evaluate("() => noted")
    return Worked(noted["times"], noted["nActs"])


def _do(page: Page, deed: Deed) -> None:
    match deed:
        case "accept":
            _press(page, "a")
        case "fix":
            _press(page, "Tab", "Shift+ArrowRight", "Shift+ArrowDown", "Enter")
        case "delete":
            _press(page, "Tab", "x", "Enter")
        case "add":
            _drag(page)
            _press(page, "2", "Enter")


def _press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def _drag(page: Page) -> None:
    """Draw a box in the lower right corner, where no made box reaches."""
    picture = page.locator(".stage__frame img").bounding_box()
    assert picture is not None
    x, y = picture["x"] + 0.96 * picture["width"], picture["y"] + 0.96 * picture["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 12, y + 6)
    page.mouse.move(x + 24, y + 12)
    page.mouse.up()
