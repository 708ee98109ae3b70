"""A real Chromium that looks at a camera's page."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from benchmarks.harness.benchmark import CannotMeasure

_CHROMIUM: Final = Path("/usr/bin/chromium")
_ARGUMENTS: Final = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run")
_TIMEOUT_MS: Final = 60_000

# Notes when fragments come in, and when their pictures are on the screen.
_NOTING: Final = """
window.noted = { arrived: [], shown: [] };
const Plain = WebSocket;
window.WebSocket = class extends Plain {
  constructor(...address) {
    super(...address);
    this.addEventListener("message", ({ data }) => {
      if (!(data instanceof ArrayBuffer)) return;
      const length = new DataView(data).getUint32(0, true);
      const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
      if (head.type === "video") noted.arrived.push(Date.now() - Date.parse(head.captured_at));
    });
  }
};
document.addEventListener("DOMContentLoaded", () => {
  const view = document.querySelector("[data-live-view]");
  if (!view) return;
  new MutationObserver(() => {
    const { mode, capturedAt } = view.dataset;
    if (mode === "video") noted.shown.push(Date.now() - Number(capturedAt));
  }).observe(view, { attributeFilter: ["data-frames"] });
});
"""


@dataclass(frozen=True)
class Seen:
    """How old pictures were when they came in, and when they were on the screen."""

    arrived_ms: list[float]
    shown_ms: list[float]


class BrowserViewer:
    """Looks at one camera's page, when told to."""

    def __init__(self, page: Page, url: str) -> None:
        self._page = page
        self._url = url

    def look(self) -> None:
        """Open the page; return once video plays. Raise `CannotMeasure` if it never does."""
        self._page.goto(self._url)
        self._page.wait_for_function(
            "() => document.querySelector('[data-live-view]').dataset.mode === 'video'"
        )

    def forget(self) -> None:
        """Begin to note anew."""
        self._page.evaluate("() => { noted.arrived.length = noted.shown.length = 0; }")

    def seen(self) -> Seen:
        """Return what was noted since."""
        noted = self._page.evaluate("() => noted")
        return Seen(noted["arrived"], noted["shown"])

    def leave(self) -> None:
        self._page.goto("about:blank")


@contextmanager
def looking(port: int, camera_id: str, session_key: str) -> Iterator[BrowserViewer]:
    """Yield a browser in which somebody is logged in."""
    if not os.access(_CHROMIUM, os.X_OK):
        raise CannotMeasure(f"there is no {_CHROMIUM}")
    url = f"http://127.0.0.1:{port}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_ARGUMENTS))
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.add_cookies([{"name": "sessionid", "value": session_key, "url": url}])
        context.add_init_script(_NOTING)
        page = context.new_page()
        page.set_default_timeout(_TIMEOUT_MS)
        yield BrowserViewer(page, f"{url}/cameras/{camera_id}/")
        browser.close()
