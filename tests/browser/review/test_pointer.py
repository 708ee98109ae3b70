"""Boxes are drawn, moved and resized with a pointer, in places of the picture, not of the page."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.review.conftest import Reviewer
from tests.browser.review.desk import (
    BICYCLE,
    HEIGHT,
    PERSON,
    WIDTH,
    Desk,
    boxes_now,
    frames_pass,
    has_changes,
    is_open,
    is_saved,
    item_now,
    on_page,
    press,
)


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag from one place of the picture to another, in its pixels."""
    page.mouse.move(*on_page(page, *start))
    page.mouse.down()
    frames_pass(page)  # the hand-over of the press takes one
    page.mouse.move(*on_page(page, (start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
    page.mouse.move(*on_page(page, *end))
    page.mouse.up()


def save(page: Page, next_item: str) -> None:
    press(page, "Enter")
    is_open(page, next_item)
    is_saved(page)


@pytest.mark.parametrize("size", [(1280, 800), (700, 900)])
def test_a_box_is_moved_in_one_gesture(
    desk: Desk, reviewer: Reviewer, size: tuple[int, int]
) -> None:
    work = desk.new_work()
    page = reviewer(work, width=size[0], height=size[1])
    drag(page, (130, 130), (150, 100))
    has_changes(page, "1 change")
    save(page, work.items[1])
    boxes = boxes_now(page, work.items[0])
    assert boxes["person"] == pytest.approx((120, 30, 180, 170), abs=1.5)
    assert boxes["bicycle"] == BICYCLE


def test_a_box_is_resized_by_its_corner(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    press(page, "Tab")
    drag(page, PERSON[2:], (200, 220))
    save(page, work.items[1])
    x0, y0, x1, y1 = boxes_now(page, work.items[0])["person"]
    assert (x0, y0) == PERSON[:2]
    assert (x1, y1) == pytest.approx((200, 220), abs=1.5)


def test_a_box_is_drawn_beside_the_one_in_hand(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    press(page, "Tab")
    drag(page, (500, 40), (560, 90))
    press(page, "4")
    save(page, work.items[1])
    boxes = boxes_now(page, work.items[0])
    assert boxes["dog"] == pytest.approx((500, 40, 560, 90), abs=1.5)
    assert boxes["person"] == PERSON


def test_in_draw_mode_a_box_is_drawn_over_another(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    press(page, "d")
    drag(page, (110, 80), (150, 120))
    press(page, "d", "4")
    save(page, work.items[1])
    boxes = boxes_now(page, work.items[0])
    assert boxes["dog"] == pytest.approx((110, 80, 150, 120), abs=1.5)
    assert boxes["person"] == PERSON


def test_an_outline_is_drawn_and_its_points_are_moved_and_deleted(
    desk: Desk, reviewer: Reviewer
) -> None:
    work = desk.new_work()
    page = reviewer(work)
    press(page, "o")
    for point in ((450, 30), (520, 40), (540, 100), (490, 120), (460, 90), (450, 30)):
        page.mouse.click(*on_page(page, *point))
    has_changes(page, "1 change")
    press(page, "o")
    drag(page, (540, 100), (560, 110))
    page.mouse.click(*on_page(page, 520, 40))
    press(page, "Delete", "4", "ArrowDown")
    save(page, work.items[1])
    box = item_now(page, work.items[0])["boxes"][2]
    points = [(x * WIDTH, y * HEIGHT) for x, y in box["polygon"]]
    wanted = ((450, 31), (560, 111), (490, 121), (460, 91))
    for point, where in zip(points, wanted, strict=True):
        assert point == pytest.approx(where, abs=1.5)


def test_a_box_that_is_looked_at_nearer_is_moved_in_the_picture(
    desk: Desk, reviewer: Reviewer
) -> None:
    work = desk.new_work()
    page = reviewer(work)
    page.mouse.move(*on_page(page, 360, 140))
    page.mouse.wheel(0, -600)
    page.wait_for_function(
        "() => document.querySelector('.stage__frame img').getBoundingClientRect().width > 2000"
    )
    drag(page, (360, 140), (370, 150))
    page.mouse.move(*on_page(page, 400, 60))
    page.mouse.down(button="middle")
    page.mouse.move(*on_page(page, 420, 70))
    page.mouse.up(button="middle")
    save(page, work.items[1])
    boxes = boxes_now(page, work.items[0])
    assert boxes["bicycle"] == pytest.approx((310, 110, 430, 190), abs=1.5)
    assert boxes["person"] == PERSON


def test_no_box_leaves_the_picture(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    drag(page, (500, 200), (660, 290))
    press(page, "4")
    save(page, work.items[1])
    _, _, x1, y1 = boxes_now(page, work.items[0])["dog"]
    assert (x1, y1) == (WIDTH, HEIGHT)


def test_a_click_takes_a_box_and_a_click_beside_lets_go(desk: Desk, reviewer: Reviewer) -> None:
    page = reviewer(desk.new_work())
    page.mouse.click(*on_page(page, 360, 140))
    page.wait_for_selector(".box-row.is-selected:has-text('bicycle')")
    page.mouse.click(*on_page(page, 130, 130))
    page.wait_for_selector(".box-row.is-selected:has-text('person')")
    page.mouse.click(*on_page(page, 550, 30))
    page.wait_for_selector(".box-row.is-selected", state="detached")
    has_changes(page, "As predicted")


def test_the_name_of_a_box_at_the_edge_does_not_widen_a_phones_page(
    desk: Desk, reviewer: Reviewer
) -> None:
    page = reviewer(desk.new_work(), width=390, height=844)
    press(page, "d")
    drag(page, (WIDTH * 0.93, HEIGHT * 0.3), (WIDTH * 0.995, HEIGHT * 0.7))
    names = page.locator(".caption")
    expect(names).to_have_count(3)
    edges = names.evaluate_all("all => all.map((each) => each.getBoundingClientRect().right)")
    assert max(edges) <= 391  # its border is over the box's
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
