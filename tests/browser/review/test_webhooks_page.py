"""Admins say who is told what labelers settled: they see the secret once, and try it out."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import serious_faults
from tests.browser.conftest import Complaints
from tests.browser.review.conftest import Visitor
from tests.browser.review.desk import Desk

# Nobody is asked: the name is looked up, and stands for this machine.
URL = "https://localhost/farwatch"


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_it_works(
    desk: Desk, visitor: Visitor, complaints: Complaints, theme: str, width: int
) -> None:
    complaints.expected = ("422",)  # the address that it refuses
    page = visitor(desk.new_dispute().session, width=width)
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto("/")
    page.locator("[data-menu] summary").click()
    page.get_by_role("link", name="Webhooks").click()
    page.get_by_role("textbox", name="Address").fill("http://localhost/")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("It must begin with https://.")).to_be_visible()
    page.get_by_role("textbox", name="Address").fill(URL)
    page.get_by_role("button", name="Add").click()
    secret = page.locator("#webhook-secret")
    expect(secret).to_have_text(re.compile("^[0-9a-f]{64}$"))
    assert serious_faults(page) == []
    page.get_by_role("link", name="Done").click()
    expect(secret).to_have_count(0)

    page.get_by_role("button", name=f"Send a test to {URL}").click()
    delivery = page.get_by_role("list", name=f"Last deliveries to {URL}").get_by_role("listitem")
    expect(delivery).to_contain_text("localhost is in a private network.", timeout=60_000)
    expect(page.get_by_text("Failing")).to_be_visible()
    page.get_by_role("button", name=f"Switch off {URL}").click()
    expect(page.get_by_text("Off", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Send a test")).to_have_count(0)
    assert serious_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name=f"Delete {URL}").click()
    expect(page.get_by_role("heading", name="Nobody is told yet")).to_be_visible()
