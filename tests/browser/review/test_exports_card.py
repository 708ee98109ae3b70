"""Labelers export from the queue's page; what they choose there is not taken from them."""

from playwright.sync_api import expect

from tests.browser.review.conftest import Reviewer
from tests.browser.review.desk import Desk, is_open, is_saved, press


def test_each_format_is_made_while_one_looks_on(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    press(page, "a")
    is_open(page, work.items[1])
    is_saved(page)
    page.goto("/review/")
    chosen = page.get_by_label("Format")
    for words in ("COCO", "YOLO", "Pascal VOC", "Datumaro"):
        chosen.select_option(label=words)
        page.get_by_role("button", name="Export", exact=True).click()
        row = page.locator("#exports-list li").filter(has_text=f"{words} export")
        expect(row.get_by_role("link", name="Download")).to_be_visible(timeout=60_000)
        expect(chosen.locator("option:checked")).to_have_text(words)
