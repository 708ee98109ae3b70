"""Adding an agent and a camera, the way a person does."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints
from tests.browser.simulated_agent import SimulatedAgent
from tests.journeys.processes import Hub


def test_it_works(page: Page, hub: Hub) -> None:
    page.goto("/agents/")
    expect(page.locator("[data-connection]")).to_have_attribute("data-state", "live")
    page.get_by_role("button", name="Make the command").click()
    command = page.locator("#join-command").inner_text()
    found = re.search(r"--hub (\S+) --token (\S+)", command)
    assert found is not None
    assert found[1] == hub.url
    newcomer = SimulatedAgent(found[1], found[2], name="newcomer", problems=("The disk is full.",))
    newcomer.enroll()
    newcomer.start()
    try:
        card = page.locator(".agent", has_text="newcomer")
        expect(card).to_contain_text("Online")
        expect(card).to_contain_text("The disk is full.")
        card.get_by_role("link", name="Add camera").click()
        page.get_by_label("Name").fill("Back door")
        page.get_by_label("Source").fill("file:door.mp4")
        page.get_by_role("button", name="Add camera").click()
        expect(page.get_by_role("heading", name="Back door")).to_be_visible()
        expect(page.locator("[data-live-view]")).to_have_attribute("data-boxes", "4")
    finally:
        newcomer.stop()


def test_an_agent_is_listed_with_what_it_runs_and_watches(
    page: Page, agent: SimulatedAgent
) -> None:
    page.goto("/agents/")
    card = page.locator(".agent", has_text="street-agent")
    expect(card).to_contain_text("simulated 1.0")
    expect(card.get_by_role("link", name="Street", exact=True)).to_be_visible()


def test_a_new_site_is_made_on_the_way(page: Page, hub: Hub, complaints: Complaints) -> None:
    complaints.expected = ("422",)
    page.goto("/agents/")
    page.get_by_label("Site", exact=True).select_option(label="A new site…")
    page.get_by_role("button", name="Make the command").click()
    expect(page.locator(".field__error")).to_contain_text("Name the site")
    page.get_by_label("Name of the new site").fill("Lighthouse")
    page.get_by_role("button", name="Make the command").click()
    expect(page.locator("#join")).to_contain_text("Lighthouse")
    expect(page.locator("#join-command")).to_contain_text("--token fw1_")


def test_a_bad_source_is_refused_beside_its_field(
    page: Page, agent: SimulatedAgent, complaints: Complaints
) -> None:
    complaints.expected = ("422",)
    page.goto("/agents/")
    page.locator(".agent", has_text="street-agent").get_by_role("link", name="Add camera").click()
    page.get_by_label("Name").fill("Nowhere")
    page.get_by_label("Source").fill("gopher://old")
    page.get_by_role("button", name="Add camera").click()
    expect(page.locator(".field__error")).to_contain_text("rtsp://")
    expect(page.get_by_label("Name")).to_have_value("Nowhere")
    expect(page.get_by_label("Source")).to_have_attribute("aria-invalid", "true")
