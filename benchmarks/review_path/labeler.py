"""A scripted labeler in a real Chromium: accepts, corrects, adds and deletes, as fast as it goes.

Ready means, looked at in every frame: another picture than the one that was submitted is open, all
of it has come, every box of it is drawn, and the editor takes keys; then two frames more.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, Literal, Protocol, TypeAlias

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.harness.benchmark import CannotMeasure

_CHROMIUM: Final = Path("/usr/bin/chromium")
_ARGUMENTS: Final = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run")
_TIMEOUT_MS: Final = 60_000
_SEED: Final = 7

Deed: TypeAlias = Literal["accept", "fix", "add", "delete"]
_OF_TWENTY: Final[dict[Deed, int]] = {"accept": 12, "fix": 6, "add": 1, "delete": 1}

_NOTING: Final = """
window.noted = { times: [], nKeys: 0, nPresses: 0 };
(({ place, isReady, decides }) => {
  const look = (before, since) => requestAnimationFrame(() => {
    if (place() === before || !isReady()) return look(before, since);
    const note = () => noted.times.push(performance.now() - since);
    requestAnimationFrame(() => requestAnimationFrame(note));
  });
  window.addEventListener("pointerdown", () => noted.nPresses++, { capture: true });
  window.addEventListener("keydown", (event) => {
    if (!event.isTrusted || ["Shift", "Control", "Alt"].includes(event.key)) return;
    noted.nKeys++;
    if (decides(event)) look(place(), event.timeStamp);
  }, { capture: true });
})(%s);
"""


class Editor(Protocol):
    """A page on which somebody labels."""

    page: Page

    def do(self, deed: Deed) -> None:
        """Do it by keys as far as the editor has any, and submit."""

    def wait_until_saved(self, n: int) -> None:
        """Wait until all `n` that were submitted so far are kept; the editor rests then."""


@dataclass(frozen=True)
class Worked:
    """What some work took."""

    ready_ms: tuple[float, ...] = ()
    """From each submit to the next picture drawn and ready for keys."""
    n_keys: int = 0
    """Modifiers held with another key are part of that one."""
    n_presses: int = 0
    """Of the pointer; a drag is one."""

    def __add__(self, other: "Worked") -> "Worked":
        return Worked(
            self.ready_ms + other.ready_ms,
            self.n_keys + other.n_keys,
            self.n_presses + other.n_presses,
        )


def deeds(n: int) -> list[Deed]:
    """Return what is done with each of `n` items: 60 % accept, 30 % fix, 5 % add, 5 % delete."""
    random = Random(_SEED)  # noqa: S311 - the same order on every run
    rounds = [
        random.sample(list(_OF_TWENTY), 20, counts=_OF_TWENTY.values()) for _ in range(n // 20 + 1)
    ]
    return [deed for each in rounds for deed in each][:n]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield an own Chromium."""
    if not os.access(_CHROMIUM, os.X_OK):
        raise CannotMeasure(f"there is no {_CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=list(_ARGUMENTS))
        yield browser
        browser.close()


def noting_page(browser: Browser, reading: str) -> Page:
    """Return a page of its own that notes what `work` asks for.

    `reading` is a JavaScript object of functions: `place()` names the picture that is open,
    `isReady()` says whether it can be worked on, `decides(event)` whether a key submits it.
    """
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.set_default_timeout(_TIMEOUT_MS)
    page.add_init_script(_NOTING % reading)
    return page


def work(editor: Editor, todo: Sequence[Deed]) -> Worked:
    """Do `todo`, each with one picture; one more has to be there, to come to after the last."""
    page = editor.page
    page.evaluate("() => Object.assign(noted, { times: [], nKeys: 0, nPresses: 0 })")
    for done, deed in enumerate(todo, start=1):
        editor.do(deed)
        page.wait_for_function("(n) => noted.times.length === n", arg=done)
    noted = page.evaluate("() => noted")
    return Worked(tuple(noted["times"]), noted["nKeys"], noted["nPresses"])


def press(page: Page, *keys: str) -> None:
    """Press keys, one after another."""
    for key in keys:
        page.keyboard.press(key)


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag from one point of the page to another."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def drag_in_corner(page: Page, picture: str) -> None:
    """Draw a box in the lower right corner of the picture, where no made box reaches."""
    place = page.locator(picture).first.bounding_box()
    assert place is not None
    x, y = place["x"] + 0.96 * place["width"], place["y"] + 0.96 * place["height"]
    drag(page, (x, y), (x + 24, y + 12))
