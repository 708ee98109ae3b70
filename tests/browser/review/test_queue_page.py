"""The queue's page keeps up with what happens, and leads to the work and back."""

from playwright.sync_api import expect

from tests.browser.review.conftest import Reviewer, Visitor
from tests.browser.review.desk import Desk, is_open, is_saved, press


def test_it_works(desk: Desk, visitor: Visitor) -> None:
    work = desk.new_work()
    page = visitor(work.session)
    page.goto("/review/")
    page.get_by_role("button", name="Start reviewing").click()
    is_open(page, work.items[0])
    press(page, "a")
    is_open(page, work.items[1])
    is_saved(page)
    page.get_by_role("link", name="Leave the editor").click()
    expect(page.get_by_text("Accepted")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="Take back").click()
    is_open(page, work.items[0])


def test_news_of_the_queue_leave_the_export_alone(desk: Desk, reviewer: Reviewer) -> None:
    page = reviewer(desk.new_work())
    page.wait_for_load_state("networkidle")
    page.get_by_role("link", name="Leave the editor").click()
    expect(page.get_by_role("heading", name="Export", exact=True)).to_be_visible()
    page.wait_for_load_state("domcontentloaded")  # its scripts have run: it hears
    page.evaluate("document.getElementById('exports').isSame = true")
    with page.expect_response("**/review/"):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('fw:review'))")
    page.wait_for_load_state("networkidle")
    expect(page.get_by_role("heading", name="Export", exact=True)).to_be_visible()
    page.wait_for_load_state("domcontentloaded")  # its scripts have run: it hears
    assert page.evaluate("document.getElementById('exports').isSame")
