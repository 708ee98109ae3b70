"""The scene editor of the agent's camera, and what the agent was told."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.scene.desk import Told, save
from tests.browser.simulated_agent import SimulatedAgent


@pytest.fixture
def editor(camera_page: Page) -> Page:
    """The editor of the agent's camera, empty, found the way a person finds it."""
    camera_page.get_by_role("link", name="Zones and rules").click()
    expect(camera_page.locator("[data-scene-editor]")).to_have_attribute("data-state", "ready")
    while camera_page.locator(".scene-shape").count():
        camera_page.locator(".scene-shapes").get_by_role("button", name="Delete").first.click()
    while camera_page.locator(".scene-rule").count():
        camera_page.get_by_role("button", name="Delete the rule").first.click()
    if camera_page.get_by_role("button", name="Save").is_enabled():
        save(camera_page)
    return camera_page


@pytest.fixture
def told(agent: SimulatedAgent) -> Told:
    """What the agent was told of its camera last."""
    return lambda: next(camera for camera in agent.cameras if camera.name == "Street")
