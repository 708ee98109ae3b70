"""The overview: figures and parts that keep themselves up to date."""

from datetime import UTC, datetime

from playwright.sync_api import Page, expect

from processing.wire.messages import EventRaised
from tests.browser.simulated_agent import SimulatedAgent


def test_it_works(page: Page, agent: SimulatedAgent) -> None:
    page.goto("/")
    expect(page.locator("[data-connection]")).to_have_attribute("data-state", "live")
    card = page.locator(".shot", has_text="Street")
    expect(card).to_contain_text("Live")
    expect(page.locator(".agent-line", has_text="street-agent")).to_contain_text("simulated 1.0")
    expect(page.locator("[data-counter=n_agents_online]")).to_have_text("1")
    expect(page.locator("[data-counter=n_cameras_online]")).to_have_text("1")
    page.wait_for_function(
        "() => Number(document.querySelector('[data-counter=results_per_s]').textContent) > 3"
    )


def test_cards_in_sight_show_a_live_picture(page: Page, agent: SimulatedAgent) -> None:
    page.goto("/")
    expect(page.locator("[data-peek][data-shown=true]")).to_have_count(1)


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
