"""A checker sees what labelers left side by side, settles it or sends it back."""

from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_faults
from tests.browser.review.conftest import Visitor
from tests.browser.review.desk import Desk, press


def test_it_works(desk: Desk, visitor: Visitor) -> None:
    dispute = desk.new_dispute()
    page = visitor(dispute.session)
    page.goto("/review/")
    assert serious_faults(page) == []
    page.get_by_role("button", name="Check 1").click()
    page.wait_for_url(f"**/review/check/{dispute.items[0]}/")
    is_ready(page)
    assert serious_faults(page) == []
    expect(page.get_by_role("heading", name="Labelers disagree")).to_be_visible()
    expect(page.locator(".work")).to_have_count(2)
    expect(page.locator(".pictured__box.is-alone")).to_have_count(1)
    page.locator(".work", has_text=dispute.colleague).get_by_role(
        "button", name="Take these"
    ).click()
    expect(page.locator("[data-part=count]")).to_have_text("1 box")
    page.locator("[data-part=stage]").focus()
    press(page, "Control+z")
    expect(page.locator("[data-part=count]")).to_have_text("2 boxes")
    press(page, "Tab", "2", "v", "w")
    page.keyboard.type("dog")
    press(page, "Enter")
    expect(page.locator("[data-part=classes]").get_by_role("button", name="dog")).to_be_visible()
    assert serious_faults(page) == []
    page.locator("[data-part=stage]").focus()
    press(page, "Enter")
    page.wait_for_url("**/review/")
    expect(page.get_by_text("Nothing waits for a check")).to_be_visible()
    item = page.request.get(
        f"/review/{dispute.items[0]}/", headers={"Accept": "application/json"}
    ).json()["item"]
    assert item["state"] == "done"
    assert sorted(box["label"] for box in item["boxes"]) == ["bicycle", "dog"]
    assert item["classes"] == ["dog"]
    checks = page.request.get(f"/api/v1/checks/?item={dispute.items[0]}").json()["results"]
    assert {tuple(check["findings"]["predictions"]) for check in checks} == {
        ("wrong_box", "wrong_class")
    }
    page.get_by_role("link", name="Labelers").click()
    expect(page.get_by_role("article", name=dispute.colleague)).to_be_visible()
    assert serious_faults(page) == []


def test_it_is_sent_back_with_a_reason(desk: Desk, visitor: Visitor) -> None:
    dispute = desk.new_dispute()
    page = visitor(dispute.session)
    page.goto(f"/review/check/{dispute.items[0]}/")
    is_ready(page)
    press(page, "r")
    dialog = page.get_by_role("dialog", name="Send it back")
    dialog.get_by_role("button", name="Send back").click()
    expect(dialog).to_contain_text("Say what is wrong")
    dialog.get_by_label("Something was missed").check()
    dialog.get_by_label("Comment").fill("Look at the left.")
    dialog.get_by_role("button", name="Send back").click()
    page.wait_for_url("**/review/")
    labeler = visitor(dispute.colleagues_session)
    labeler.goto(f"/review/{dispute.items[0]}/")
    expect(labeler.get_by_role("alert")).to_contain_text("Look at the left.")


def is_ready(page: Page) -> None:
    expect(page.locator("[data-check]")).to_have_attribute("data-state", "open")
