"""Work for labelers on a running hub, and what tests do with their page again and again."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from playwright.sync_api import Page, expect

from tests.journeys.processes import Hub

WIDTH, HEIGHT = 640, 272
PASSWORD = "correct horse battery staple"

# In pixels, so that what a key press makes of a box can be said to the pixel.
PERSON = (100, 60, 160, 200)
BICYCLE = (300, 100, 420, 180)

_SEED = """
import json, cv2, numpy as np
from tests.factories import *
from webapp.accounts.models import Role

W, H, boxes = {width}, {height}, {boxes!r}
predictions = pack(
    PackedDetection(x0 / W, y0 / H, x1 / W, y1 / H, score, label, 0)
    for label, ((x0, y0, x1, y1), score) in enumerate(zip(boxes, (0.31, 0.8)))
)

def picture(number):
    pixels = np.full((H, W, 3), 60 + 20 * number, np.uint8)
    for (x0, y0, x1, y1), colour in zip(boxes, ((60, 60, 220), (220, 120, 40))):
        cv2.rectangle(pixels, (x0, y0), (x1, y1), colour, -1)
    return cv2.imencode(".jpg", pixels)[1].tobytes()

def work():
    organization = make_organization()
    names = [f"labeler-{{organization.pk.hex[-10:]}}-{{one}}" for one in "ab"]
    for name in names:
        make_user(name, organization=organization, role=Role.LABELER, password={password!r})
    camera = make_camera(make_agent(make_site(organization)), name="Gate")
    bundle = make_bundle(organization, labels=["person", "bicycle", "car", "dog"])
    samples = [
        make_sample(
            camera, bundle, width=W, height=H, score=0.31 - 0.01 * number,
            picture=make_blob(organization, picture(number)), predictions=predictions,
        )
        for number in range({n_items})
    ]
    items = [str(make_review_item(sample).pk) for sample in samples]
    return {{"user": names[0], "colleague": names[1], "items": items}}

print(json.dumps([work() for _ in range({n_works})]))
"""
_AT_ONCE = 12


class Work(msgspec.Struct):
    """Two labelers of an organization of their own, and what waits for them, first to last."""

    user: str
    colleague: str
    items: list[str]


@dataclass
class Desk:
    """A hub at which labelers work."""

    hub: Hub
    _prepared: list[Work] = field(default_factory=list)

    def new_work(self) -> Work:
        """Return work that nobody has begun: three pictures."""
        if not self._prepared:  # starting Django is dear, so several are made at once
            script = _SEED.format(
                password=PASSWORD,
                n_items=3,
                n_works=_AT_ONCE,
                width=WIDTH,
                height=HEIGHT,
                boxes=(PERSON, BICYCLE),
            )
            printed = self.hub.manage("shell", "-v", "0", "-c", script)
            self._prepared = msgspec.json.decode(printed.splitlines()[-1], type=list[Work])
        return self._prepared.pop()


def log_in(page: Page, user: str) -> None:
    page.goto("/login/?next=/review/")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/review/")


def is_open(page: Page, item: str) -> None:
    """Wait until this item can be worked on."""
    page.wait_for_url(f"**/review/{item}/")
    expect(page.locator("[data-editor]")).to_have_attribute("data-state", "open")
    expect(page.locator(".stage__frame img")).to_be_visible()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def has_changes(page: Page, words: str) -> None:
    expect(page.locator("[data-part=changes]")).to_have_text(words)


def is_saved(page: Page) -> None:
    """Wait until nothing is on its way to the hub."""
    expect(page.locator("[data-part=saving]")).to_be_hidden()


def has_next_picture(page: Page) -> None:
    """Wait until the picture after the one on the screen has been fetched."""
    fetched = "performance.getEntriesByType('resource').filter((e) => /media/.test(e.name))"
    page.wait_for_function(f"() => {fetched}.length >= 2")


def item_now(page: Page, item: str) -> dict[str, Any]:
    """Return the item as the hub has it."""
    answer = page.request.get(f"/review/{item}/", headers={"Accept": "application/json"})
    return dict(answer.json()["item"])


def boxes_now(page: Page, item: str) -> dict[str, tuple[float, ...]]:
    """Return the item's boxes as the hub has them: class -> pixels, to the hundredth."""
    sizes = (WIDTH, HEIGHT, WIDTH, HEIGHT)
    return {
        box["label"]: tuple(
            round(side * size, 1) for side, size in zip(box["xyxy"], sizes, strict=True)
        )
        for box in item_now(page, item)["boxes"]
    }
