"""The next picture is there before it is asked for, and the page never reloads."""

from msgspec.structs import replace
from playwright.sync_api import Route, expect

from tests.browser.review.conftest import Reviewer, Visitor
from tests.browser.review.desk import (
    Desk,
    frames_pass,
    has_pictures,
    is_open,
    is_saved,
    item_now,
    press,
)


def test_it_works(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    page.evaluate("window.isSamePage = true")
    for item in work.items[1:]:
        press(page, "a")
        is_open(page, item)
    is_saved(page)
    assert page.evaluate("window.isSamePage")
    expect(page.locator("[data-part=mine]")).to_have_text("3 done today")


def test_it_is_fetched_while_the_first_is_looked_at(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    has_pictures(page, 2)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    press(page, "a")
    is_open(page, work.items[1])
    is_saved(page)
    assert not [url for url in requests if url.endswith(f"/review/{work.items[1]}/")]


def test_one_request_does_for_a_picture(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    has_pictures(page, 3)
    page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    press(page, "a")
    is_open(page, work.items[1])
    is_saved(page)
    has_pictures(page, 4)  # another was claimed along with it
    (post,) = [each for each in asked if each.startswith("POST")]
    assert post.endswith(f"/review/{work.items[0]}/verdict/")
    assert item_now(page, work.items[1])["held_by"]["is_me"]


def test_a_save_does_not_overtake_a_sign_of_life(desk: Desk, visitor: Visitor) -> None:
    work = desk.new_work()
    page = visitor(work.session)
    page.clock.install()
    page.goto(f"/review/{work.items[0]}/")
    is_open(page, work.items[0])
    page.wait_for_load_state("networkidle")
    held: list[Route] = []
    asked: list[str] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(f"**/{work.items[0]}/start/", hold)
    page.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
    with page.expect_request("**/start/"):
        page.clock.fast_forward(31_000)
    press(page, "a")
    is_open(page, work.items[1])
    frames_pass(page)
    assert not [each for each in asked if each.endswith("/verdict/")]
    held[0].continue_()
    is_saved(page)
    assert item_now(page, work.items[0])["state"] == "done"


def test_two_labelers_never_see_the_same(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    has_pictures(page, 3)  # one on the screen, two fetched ahead
    theirs = replace(work, session=work.colleagues_session, items=work.items[3:])
    other = reviewer(theirs)
    press(other, "a")
    expect(other.get_by_role("link", name="To the queue")).to_be_visible()


def test_it_fits_a_phone(desk: Desk, reviewer: Reviewer) -> None:
    page = reviewer(desk.new_work(), width=390, height=844)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    picture = page.locator(".stage__frame img").bounding_box()
    assert picture is not None
    assert picture["width"] == 390


def test_the_picture_is_as_large_as_the_window_allows(desk: Desk, reviewer: Reviewer) -> None:
    page = reviewer(desk.new_work(), width=1600, height=900)
    picture = page.locator(".stage__frame img").bounding_box()
    assert picture is not None
    assert picture["width"] > 1200
    assert abs(picture["width"] / picture["height"] - 640 / 272) < 0.01
