"""Whatever happens between the page and the hub, what was typed is still there."""

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Complaints
from tests.browser.review.conftest import Reviewer
from tests.browser.review.desk import (
    Desk,
    boxes_now,
    has_changes,
    has_pictures,
    is_open,
    is_saved,
    item_now,
    log_in,
    press,
)
from tests.journeys.processes import wait_for


def decide_elsewhere(page: Page, item: str) -> None:
    """Save the item from another tab of the same labeler, without any box."""
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    headers = {"X-CSRFToken": cookies["csrftoken"], "Referer": page.url}
    revision = item_now(page, item)["revision"]
    data = {"revision": revision, "boxes": []}
    saved = page.request.post(f"/review/{item}/verdict/", data=data, headers=headers)
    assert saved.ok, saved.text()


def test_a_conflict_keeps_the_boxes_and_says_what_can_be_done(
    desk: Desk, reviewer: Reviewer, complaints: Complaints
) -> None:
    complaints.expected = ("409",)
    work = desk.new_work()
    page = reviewer(work)
    press(page, "Tab", "ArrowRight", "4")
    has_changes(page, "1 change")
    decide_elsewhere(page, work.items[0])
    press(page, "Enter")
    page.get_by_role("button", name="Go back to it").click()
    page.get_by_role("button", name="Reopen with these boxes").click()
    is_open(page, work.items[0])
    has_changes(page, "1 change")
    press(page, "Enter")
    is_saved(page)
    assert set(boxes_now(page, work.items[0])) == {"dog", "bicycle"}


def test_a_reload_keeps_the_boxes(desk: Desk, reviewer: Reviewer, complaints: Complaints) -> None:
    complaints.expected = ("failed:", "WebSocket is closed")  # what the reload cut short
    work = desk.new_work()
    page = reviewer(work)
    press(page, "Tab", "ArrowRight", "4")
    has_changes(page, "1 change")
    page.reload()
    is_open(page, work.items[0])
    has_changes(page, "1 change")


def test_saves_wait_for_a_hub_that_does_not_answer(
    desk: Desk, reviewer: Reviewer, complaints: Complaints
) -> None:
    complaints.expected = ("failed:", "ERR_FAILED")
    work = desk.new_work()
    page = reviewer(work)
    has_pictures(page, 2)

    def refuse(route: Route) -> None:
        route.abort()

    page.route("**/verdict/", refuse)
    press(page, "a")
    expect(page.locator("[data-part=saving]")).to_contain_text("1 picture waits to be saved")
    is_open(page, work.items[1])
    wait_for("the next one is begun", lambda: item_now(page, work.items[1])["held_by"] is not None)
    page.unroute("**/verdict/", refuse)
    is_saved(page)
    assert item_now(page, work.items[0])["state"] == "done"


def test_a_decision_is_taken_back(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    press(page, "Tab", "4", "Enter")
    is_open(page, work.items[1])
    press(page, "Tab", "3")
    has_changes(page, "1 change")
    press(page, "z")
    is_open(page, work.items[0])
    expect(page.locator("[data-part=boxes]")).to_contain_text("dog")
    press(page, "Enter")
    is_open(page, work.items[1])
    has_changes(page, "1 change")  # what was begun there is there


def test_the_last_picture_leaves_a_page_that_waits(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    for item in work.items:
        is_open(page, item)
        press(page, "a")
    expect(page.get_by_role("link", name="To the queue")).to_be_visible()
    assert item_now(page, work.items[-1])["state"] == "done"


def test_leaving_gives_the_pictures_back(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    has_pictures(page, 3)  # those that are claimed ahead, too
    page.wait_for_load_state("networkidle")
    page.get_by_role("link", name="Leave the editor").click()
    page.wait_for_url("**/review/")

    def are_free() -> bool:
        return all(item_now(page, item)["held_by"] is None for item in work.items)

    wait_for("the pictures are free", are_free)


def test_a_session_that_ends_costs_nothing(
    desk: Desk, reviewer: Reviewer, complaints: Complaints
) -> None:
    complaints.expected = ("failed:", "WebSocket", "4401")
    work = desk.new_work()
    page = reviewer(work)
    has_pictures(page, 2)
    page.wait_for_load_state("networkidle")  # a socket that is refused would reload the page
    page.context.clear_cookies(name="sessionid")
    press(page, "Tab", "4", "Enter")
    expect(page.get_by_text("You are logged out. Nothing is lost")).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Log in").click()
    log_in(opened.value, work.user)
    wait_for("the picture is saved", lambda: item_now(page, work.items[0])["state"] == "done")
    is_saved(page)
    expect(page.get_by_text("You are logged out. Nothing is lost")).to_be_hidden()
    assert set(boxes_now(page, work.items[0])) == {"dog", "bicycle"}
