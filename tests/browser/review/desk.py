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
from django.contrib.auth.hashers import make_password
from django.test import Client
from tests.factories import *
from webapp.accounts.models import Role, User
from webapp.common.clock import now
from webapp.review.actions import submit_verdict
from webapp.review.boxes import Box
from webapp.review.models import ReviewItem

HASHED = make_password({password!r})  # once: it is meant to be slow

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
    users = [make_user(name, organization=organization, role=Role.LABELER) for name in names]
    sessions = []
    for user in users:
        user.password = HASHED
        user.save()
        browser = Client()
        browser.force_login(user)
        sessions.append(browser.session.session_key)
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
    return {{
        "user": names[0], "colleague": names[1], "items": items,
        "session": sessions[0], "colleagues_session": sessions[1],
    }}

def dispute():
    # A picture that two labelers see otherwise, and an admin who is to settle it.
    one = work()
    sample = ReviewItem.objects.get(pk=one["items"][0]).sample
    organization = sample.organization
    name = "admin-" + organization.pk.hex[-10:]
    admin = make_user(name, organization=organization, role=Role.ADMIN)
    browser = Client()
    browser.force_login(admin)
    ReviewItem.objects.filter(organization=organization).exclude(sample=sample).delete()
    item = ReviewItem.objects.get(sample=sample)
    item.n_labelers = 2
    item.save()
    for name, left in ((one["user"], boxes), (one["colleague"], boxes[:1])):
        truth = [Box(xyxy=(x0 / W, y0 / H, x1 / W, y1 / H), label="dog") for x0, y0, x1, y1 in left]
        item.refresh_from_db()
        by = User.objects.get(username=name)
        submit_verdict(item=item, by=by, revision=item.revision, boxes=truth, at=now())
    return {{**one, "items": [str(item.pk)], "session": browser.session.session_key}}

made = dispute if {is_disputed} else work
print(json.dumps([made() for _ in range({n_works})]))
"""
_AT_ONCE = 12


class Work(msgspec.Struct):
    """Two labelers of an organization of their own, and what waits for them, first to last."""

    user: str
    colleague: str
    items: list[str]
    session: str
    """Of a browser in which the user is logged in."""
    colleagues_session: str


@dataclass
class Desk:
    """A hub at which labelers work."""

    hub: Hub
    _prepared: list[Work] = field(default_factory=list)

    def new_work(self) -> Work:
        """Return work that nobody has begun: four pictures."""
        if not self._prepared:  # starting Django is dear, so several are made at once
            self._prepared = self._make(_AT_ONCE)
        return self._prepared.pop()

    def new_dispute(self) -> Work:
        """Return a picture that two labelers see otherwise; the session is an admin's."""
        return self._make(1, is_disputed=True)[0]

    def _make(self, n: int, *, is_disputed: bool = False) -> list[Work]:
        script = _SEED.format(
            password=PASSWORD,
            n_items=4,
            n_works=n,
            width=WIDTH,
            height=HEIGHT,
            boxes=(PERSON, BICYCLE),
            is_disputed=is_disputed,
        )
        printed = self.hub.manage("shell", "-v", "0", "-c", script)
        return msgspec.json.decode(printed.splitlines()[-1], type=list[Work])


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


def frames_pass(page: Page) -> None:
    """Wait until what the page does by the next animation frame is done."""
    page.evaluate("() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")


def has_changes(page: Page, words: str) -> None:
    expect(page.locator("[data-part=changes]")).to_have_text(words)


def is_saved(page: Page) -> None:
    """Wait until nothing is on its way to the hub."""
    expect(page.locator("[data-part=saving]")).to_be_hidden()


def has_pictures(page: Page, n: int) -> None:
    """Wait until so many pictures have been fetched, the one on the screen among them."""
    fetched = "performance.getEntriesByType('resource').filter((e) => /media/.test(e.name))"
    page.wait_for_function(f"() => {fetched}.length >= {n}")


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


def on_page(page: Page, x: float, y: float) -> tuple[float, float]:
    """Return where the page shows a pixel of the picture."""
    picture = page.locator(".stage__frame img").bounding_box()
    assert picture is not None
    scale = picture["width"] / WIDTH
    return picture["x"] + x * scale, picture["y"] + y * scale
