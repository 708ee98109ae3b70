"""One finger takes and draws boxes, two look nearer; nothing needs a key."""

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.review.conftest import Reviewer
from tests.browser.review.desk import (
    BICYCLE,
    Desk,
    boxes_now,
    frames_pass,
    has_changes,
    is_open,
    is_saved,
    on_page,
)

Point = tuple[float, float]


def touch(hand: CDPSession, kind: str, *fingers: Point) -> None:
    points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(fingers)]
    hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def drag(page: Page, hand: CDPSession, start: Point, end: Point) -> None:
    """Drag one finger from one place of the picture to another, in its pixels."""
    touch(hand, "touchStart", on_page(page, *start))
    frames_pass(page)  # the hand-over of the press takes one
    for step in (0.3, 0.6, 1.0):
        x, y = (a + step * (b - a) for a, b in zip(start, end, strict=True))
        touch(hand, "touchMove", on_page(page, x, y))
    touch(hand, "touchEnd")
    page.wait_for_timeout(600)  # Chromium takes a tap right after a drag for a part of it


def test_it_works(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work, width=390, height=844, is_touch=True)
    hand = page.context.new_cdp_session(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    drag(page, hand, (130, 130), (150, 150))
    has_changes(page, "1 change")
    drag(page, hand, (500, 40), (560, 120))
    has_changes(page, "2 changes")
    page.get_by_role("button", name="dog").tap()
    expect(page.locator("[data-part=boxes]")).to_contain_text("dog")
    page.get_by_role("button", name="Save").tap()
    is_open(page, work.items[1])
    is_saved(page)
    boxes = boxes_now(page, work.items[0])
    assert boxes["person"] == pytest.approx((120, 80, 180, 220), abs=3)
    assert boxes["dog"] == pytest.approx((500, 40, 560, 120), abs=3)
    assert boxes["bicycle"] == BICYCLE


def test_two_fingers_look_nearer_and_touch_no_box(desk: Desk, reviewer: Reviewer) -> None:
    page = reviewer(desk.new_work(), width=390, height=844, is_touch=True)
    hand = page.context.new_cdp_session(page)
    x, y = on_page(page, 360, 140)
    touch(hand, "touchStart", (x - 10, y))
    touch(hand, "touchMove", (x - 14, y))
    touch(hand, "touchStart", (x - 14, y), (x + 14, y))
    touch(hand, "touchMove", (x - 42, y), (x + 42, y))
    touch(hand, "touchEnd")
    picture = page.locator(".stage__frame img").bounding_box()
    assert picture is not None
    assert picture["width"] == pytest.approx(3 * 390, rel=0.05)
    has_changes(page, "As predicted")
    page.get_by_role("button", name="All of the picture").tap()
    expect(page.locator(".stage__frame img")).to_have_css("width", "390px")
