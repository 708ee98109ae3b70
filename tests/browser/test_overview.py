"""The overview: figures and parts that keep themselves up to date."""

import re
from datetime import UTC, datetime

from playwright.sync_api import Page, expect

from processing.wire.messages import EventRaised
from tests.browser.simulated_agent import SimulatedAgent


def test_it_works(page: Page, agent: SimulatedAgent) -> None:
    page.goto("/")
    expect(page.locator("[data-connection]")).to_have_attribute("data-state", "live")
    card = page.locator(".shot", has_text="Street")
    expect(card).to_contain_text("Live")
    for name in ("n_agents_online", "n_cameras_online"):
        expect(page.locator(f"[data-counter={name}]")).to_have_text(re.compile("^[1-9]"))
    page.wait_for_function(
        "() => Number(document.querySelector('[data-counter=results_per_s]').textContent) > 3"
    )


def test_cards_in_sight_show_a_live_picture(page: Page, agent: SimulatedAgent) -> None:
    page.goto("/")
    picture = page.locator(".shot", has_text="Street").locator("[data-peek]")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_attribute("data-shown", "true")


def test_an_event_appears_by_itself(page: Page, agent: SimulatedAgent) -> None:
    page.goto("/")
    expect(page.locator("[data-connection]")).to_have_attribute("data-state", "live")
    agent.raise_event(
        EventRaised(
            kind="test.knock",
            occurred_at=datetime.now(UTC),
            title="Somebody knocks",
            severity="warning",
        )
    )
    expect(page.locator(".event-line", has_text="Somebody knocks").first).to_be_visible()
    page.get_by_role("link", name="All events").click()
    expect(page.locator(".event-line", has_text="Somebody knocks").first).to_be_visible()


def test_a_page_says_that_it_lost_the_hub_and_comes_back(page: Page, agent: SimulatedAgent) -> None:
    page.goto("/")
    connection = page.locator("[data-connection]")
    expect(connection).to_have_attribute("data-state", "live")
    page.evaluate(
        """() => {
          Object.defineProperty(document, "hidden", { value: true, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    expect(connection).to_have_attribute("data-state", "paused")
    page.evaluate(
        """() => {
          delete document.hidden;
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    expect(connection).to_have_attribute("data-state", "live")
