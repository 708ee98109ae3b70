"""While one draws: what would have been told in the last hour, judged by a real worker."""

import re

from playwright.sync_api import Page, expect

from tests.browser.scene.desk import drag, tool

NOTHING = re.compile(r"\b0 events")


def test_a_draft_is_judged_by_the_last_hour_and_again_when_it_changes(editor: Page) -> None:
    tool(editor, "Zone").click()
    drag(editor, (0.02, 0.02), (0.98, 0.98))
    editor.get_by_role("button", name="Add a rule").click()
    strip = editor.get_by_role("region", name="What would have been told")
    expect(strip).to_have_attribute("data-state", "done")
    expect(strip).to_contain_text(re.compile(r"[1-9]\d* events?, from [\d,]+ results"))
    expect(strip.locator(".scene-past__lane")).to_have_count(1)
    expect(strip.locator(".scene-past__event").first).to_be_visible()
    editor.get_by_label("Add a class").fill("unicorn")
    editor.get_by_label("Add a class").press("Enter")
    expect(strip).to_contain_text(NOTHING)
    expect(strip.locator(".scene-past__event")).to_have_count(0)
    editor.get_by_role("button", name="Delete the rule").click()
    expect(strip).to_contain_text("No rule is complete yet.")
    editor.get_by_role("button", name="Undo").click()
    expect(strip).to_have_attribute("data-state", "done")
    expect(strip).to_contain_text(NOTHING)
    editor.evaluate("window.onbeforeunload = null")


def test_a_draft_that_was_called_off_elsewhere_says_so(editor: Page) -> None:
    called_off = {"state": "cancelled", "n_done": 0, "n_total": 0, "error": "", "result": None}
    editor.route("**/scene-previews/*/", lambda route: route.fulfill(json=called_off))
    tool(editor, "Zone").click()
    drag(editor, (0.02, 0.02), (0.98, 0.98))
    editor.get_by_role("button", name="Add a rule").click()
    strip = editor.get_by_role("region", name="What would have been told")
    expect(strip).to_have_attribute("data-state", "failed")
    expect(strip).to_contain_text("Called off")
    editor.evaluate("window.onbeforeunload = null")
