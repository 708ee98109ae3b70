"""After the last picture the editor says why there is no other, and when there is."""

import re

from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_faults
from tests.browser.review.conftest import Reviewer
from tests.browser.review.desk import Desk, is_open, is_saved, press


def leave_all(page: Page, items: list[str]) -> None:
    for item in items:
        is_open(page, item)
        press(page, "s", "s")


def test_it_works(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    leave_all(page, work.items)
    expect(page.get_by_role("heading", name="Nothing for you right now")).to_be_visible()
    expect(
        page.get_by_text(re.compile("4 that you left to others come back to you in"))
    ).to_be_visible()
    assert serious_faults(page) == []
    is_saved(page)
    page.get_by_role("link", name="To the queue").click()
    expect(page.get_by_role("heading", name="Nothing for you right now")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("reviewing"))).to_have_count(0)
