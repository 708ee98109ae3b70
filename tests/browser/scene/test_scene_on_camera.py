"""Around the scene editor: fingers, the drawing over the live picture, the week that is painted."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from processing.wire.camera import DesiredCamera
from tests.browser.conftest import PATIENCE_MS, Complaints
from tests.browser.scene.desk import Told, at, drag, outline, save, tool
from tests.browser.simulated_agent import SimulatedAgent
from tests.journeys.processes import Hub, wait_for


@pytest.fixture
def phone(
    chromium: Browser, hub: Hub, admitted: Path, editor: Page, complaints: Complaints
) -> Iterator[Page]:
    """The empty editor on a phone."""
    context = chromium.new_context(
        storage_state=admitted,
        base_url=hub.url,
        viewport={"width": 390, "height": 844},
        has_touch=True,
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints.watch(page)
    page.goto(editor.url)
    expect(page.locator("[data-scene-editor]")).to_have_attribute("data-state", "ready")
    yield page
    context.close()


def test_a_finger_draws(phone: Page, told: Told) -> None:
    corners = ((0.2, 0.3), (0.7, 0.3), (0.5, 0.8))
    tool(phone, "Zone").tap()
    for corner in corners:
        phone.touchscreen.tap(*at(phone, corner))
    phone.get_by_role("button", name="Done").tap()
    expect(phone.locator(".shape--zone")).to_have_count(1)
    save(phone)
    wait_for("the agent is told", lambda: len(outline(told())) == 3)


def test_the_live_picture_shows_the_drawing_until_it_is_switched_off(editor: Page) -> None:
    tool(editor, "Zone").click()
    drag(editor, (0.2, 0.2), (0.6, 0.6))
    tool(editor, "Line").click()
    drag(editor, (0.2, 0.9), (0.8, 0.9))
    save(editor)
    editor.get_by_role("link", name="Street").click()
    expect(editor.locator(".overlay .overlay__zone")).to_be_visible()
    expect(editor.locator(".overlay")).to_have_attribute("viewBox", "0 0 640 360")
    expect(editor.locator(".overlay__name")).to_have_text(["Zone 1", "Line 1"])
    toggle = editor.get_by_role("button", name="Zones", exact=True)
    toggle.click()
    expect(editor.locator(".overlay")).to_be_hidden()
    editor.reload()
    expect(toggle).to_have_attribute("aria-pressed", "false")
    toggle.click()
    expect(editor.locator(".overlay")).to_be_visible()


def test_the_chart_counts_what_came_into_a_zone(editor: Page) -> None:
    tool(editor, "Zone").click()
    drag(editor, (0.2, 0.2), (0.6, 0.6))
    save(editor)
    editor.get_by_role("link", name="Street").click()
    chart = editor.locator("[data-counts-chart]")
    expect(chart).to_have_attribute("data-loaded", "seen 1h")
    chart.get_by_role("button", name="At once").click()
    where = chart.get_by_label("Where")
    zone_id = where.get_by_role("option", name="Zone 1").get_attribute("value")
    figures = f"{chart.get_attribute('data-counts-chart')}?zone={zone_id}"
    wait_for("something comes in", lambda: editor.request.get(figures).json()["series"])
    where.select_option("Zone 1")
    expect(chart).to_have_attribute("data-loaded", f"seen 1h {zone_id}")
    expect(chart.locator("[data-chart]")).to_have_attribute(
        "aria-label", re.compile("Objects that came into Zone 1 in the last hour: .*[1-9]")
    )
    expect(chart.get_by_role("button", name="At once")).to_be_hidden()
    where.select_option("Whole picture")
    expect(chart).to_have_attribute("data-loaded", "seen 1h")
    expect(chart.get_by_role("button", name="At once")).to_be_visible()


def test_the_week_is_painted_and_says_the_same_in_words(camera_page: Page, told: Told) -> None:
    page = camera_page
    page.get_by_role("link", name="Settings").click()
    page.locator("#schedule summary").click()
    hours = page.get_by_label("Hours", exact=True)
    hours.fill("")
    first = page.locator('[data-day="0"][data-cell="16"]')
    last = page.locator('[data-day="4"][data-cell="35"]')
    first.hover()
    page.mouse.down()
    last.hover()
    page.mouse.up()
    expect(hours).to_have_value("Mon-Fri 08:00-18:00")
    expect(page.locator(".week__cell.is-on")).to_have_count(5 * 20)
    page.locator('[data-day="2"][data-cell="24"]').click()
    expect(hours).to_have_value("Mon-Tue Thu-Fri 08:00-18:00, Wed 08:00-12:00, Wed 12:30-18:00")
    hours.fill("Sat 22:00-02:00")
    expect(page.locator(".week__cell.is-on")).to_have_count(8)
    expect(page.locator('[data-day="6"][data-cell="3"]')).to_have_class("week__cell is-on")
    page.get_by_role("button", name="At night").click()
    page.get_by_role("button", name="Save").click()
    wait_for("the agent is told", lambda: len(told().schedule.windows) == 1)
    assert told().schedule.windows[0].from_minute == 20 * 60
    page.get_by_role("link", name="Settings").click()
    page.locator("#schedule summary").click()
    page.get_by_role("button", name="Always").click()
    page.get_by_role("button", name="Save").click()
    wait_for("the agent is told", lambda: told().schedule.windows == ())


def test_a_camera_without_any_picture_is_drawn_on_in_grey(
    page: Page, agent: SimulatedAgent
) -> None:
    page.goto("/agents/")
    page.locator(".agent", has_text="street-agent").get_by_role("link", name="Add camera").click()
    page.get_by_label("Name").fill("Attic")
    page.get_by_label("Source").fill("file:attic.mp4")
    page.get_by_label("Watch this camera").uncheck()
    page.get_by_role("button", name="Add camera").click()
    page.get_by_role("link", name="Zones and rules").click()
    expect(page.locator("[data-scene-editor]")).to_have_attribute("data-state", "ready")
    tool(page, "Zone").click()
    drag(page, (0.2, 0.2), (0.6, 0.6))
    save(page)
    expect(page.locator("canvas[data-part=live]")).to_be_hidden()
    wait_for("the agent is told", lambda: any(map(outline, _attics(agent))))


def _attics(agent: SimulatedAgent) -> list[DesiredCamera]:
    return [camera for camera in agent.cameras if camera.name == "Attic"]
