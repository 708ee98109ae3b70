"""Nobody is kept from the labelers' pages: axe-core finds no serious fault, in either theme."""

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import serious_faults
from tests.browser.review.conftest import Reviewer
from tests.browser.review.desk import Desk, press


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_it_works(desk: Desk, reviewer: Reviewer, theme: str, width: int) -> None:
    page = reviewer(desk.new_work(), width=width)
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    press(page, "Tab", "ArrowRight", "x", "b", "l", "g")
    assert serious_faults(page) == []
    for key, name in (("?", "Keys"), ("s", "Skip this picture"), ("c", "Class")):
        press(page, key)
        expect(page.get_by_role("dialog", name=name)).to_be_visible()
        assert serious_faults(page) == []
        press(page, "Escape")
