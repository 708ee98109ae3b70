"""The hub beside which others are measured: its own tables, its server, its editor."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, Page

from benchmarks.ingest_path.servers import ROOT, free_port, hub_environment, started
from benchmarks.ingest_path.stores import Store
from benchmarks.review_path.labeler import Deed, drag_in_corner, noting_page, press

_FILLING_TIMEOUT_S: Final = 600.0

_READING: Final = """{
  place: () => location.pathname,
  isReady: () => {
    const editor = document.querySelector("[data-editor]");
    const image = editor.querySelector(".stage__frame img");
    const nListed = editor.querySelectorAll(".box-row").length;
    const drawn = ".stage__frame .a9s-annotation:not(.a9s-rubberband)";
    return editor.dataset.state === "open" && image?.complete && image.naturalWidth
      && image.checkVisibility() && nListed > 0
      && editor.querySelectorAll(drawn).length === nListed;
  },
  decides: ({ key }) => ["a", "Enter"].includes(key),
}"""


class FarwatchEditor:
    """The labeler's page of the hub."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def do(self, deed: Deed) -> None:
        match deed:
            case "accept":
                press(self.page, "a")
            case "fix":
                press(self.page, "Tab", "Shift+ArrowRight", "Shift+ArrowDown", "Enter")
            case "delete":
                press(self.page, "Tab", "x", "Enter")
            case "add":
                drag_in_corner(self.page, ".stage__frame img")
                press(self.page, "2", "Enter")

    def wait_until_saved(self, n: int) -> None:
        self.page.wait_for_function(
            f"() => /^{n} done/.test(document.querySelector('[data-part=mine]').textContent)"
        )


@contextmanager
def farwatch_editor(browser: Browser, store: Store, *, n: int) -> Iterator[FarwatchEditor]:
    """Yield the editor of a hub with `n` pictures to review, the first of them open."""
    session_key = _fill(store, n)
    with _hub(store) as url:
        page = noting_page(browser, _READING)
        page.context.add_cookies([{"name": "sessionid", "value": session_key, "url": url}])
        page.goto(f"{url}/review/")
        page.get_by_role("button", name="Start reviewing").click()
        page.wait_for_selector("[data-editor][data-state=open]")
        page.wait_for_load_state("networkidle")
        yield FarwatchEditor(page)
        page.context.close()


def _fill(store: Store, n: int) -> str:
    program = [sys.executable, "-m", "benchmarks.review_path.rows", str(n)]
    done = subprocess.run(
        [*hub_environment(store, {}), *program],
        cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True, timeout=_FILLING_TIMEOUT_S,
    )  # fmt: skip
    return done.stdout.splitlines()[-1]


@contextmanager
def _hub(store: Store) -> Iterator[str]:
    port = free_port()
    serve = [sys.executable, "manage.py", "serve", "--port", str(port)]
    with started([*hub_environment(store, {}), *serve], port):
        yield f"http://127.0.0.1:{port}"
