"""What holds for every page: it fits a phone, both themes work, and a keyboard gets everywhere."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.simulated_agent import SimulatedAgent

PAGES = (
    "/",
    "/events/",
    "/agents/",
    "/review/",
    "/health/",
    "/inference/",
    "/inference/try/",
    "/inference/keys/",
)


@pytest.mark.parametrize("path", PAGES)
def test_it_fits_a_phone(page: Page, agent: SimulatedAgent, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_camera_fits_a_phone(camera_page: Page) -> None:
    camera_page.set_viewport_size({"width": 390, "height": 844})
    # Charts follow in a later frame.
    camera_page.wait_for_function("() => document.documentElement.scrollWidth <= 390")


def test_the_theme_can_be_changed_and_stays(page: Page) -> None:
    page.emulate_media(color_scheme="light")
    page.goto("/")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Change to dark theme").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark
    page.get_by_role("button", name="Change to light theme").click()
    assert page.evaluate(ground) == light
    assert page.evaluate("localStorage.getItem('farwatch.theme')") is None


def test_a_keyboard_gets_everywhere(page: Page, agent: SimulatedAgent) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.get_by_label("Account: admin").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()


@pytest.mark.parametrize("path", PAGES)
def test_everything_has_a_name(page: Page, agent: SimulatedAgent, path: str) -> None:
    page.goto(path)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("a, button, input, select, summary")]
          .filter((element) => element.checkVisibility() && element.type !== "hidden")
          .filter((element) => !(element.textContent.trim() || element.ariaLabel
            || element.labels?.length || element.title))
          .map((element) => element.outerHTML)"""
    )
    assert nameless == []
