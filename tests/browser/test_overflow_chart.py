"""The chart of where frames were judged, and the form that says which go to the cloud."""

from typing import Final

from playwright.sync_api import Page, expect

from tests.browser.simulated_agent import SimulatedAgent
from tests.journeys.processes import Hub

_COUNTED: Final = """
import random
from datetime import timedelta
from processing.wire.overflow import OverflowState
from webapp.common.clock import now
from webapp.fleet.actions import update_camera
from webapp.fleet.models import Camera
from webapp.monitoring.metering import Metered, fold_overflow
camera, dice, at = Camera.objects.get(name="Street"), random.Random(4), now()
policy = {"mode": "saturated", "mb_per_day": 400, "money_per_day": 5}
update_camera(camera, at=at, policies={"overflow": policy})
for hours_ago in range(30, -1, -1):
    began_at = at - timedelta(hours=hours_ago)
    n = dice.randrange(200, 900)
    state = OverflowState(
        since_at=began_at, n_local=1800, n_cloud=n, n_saturated=n + 70, n_refused=40, n_late=30,
        n_bytes=n * 40_000, micros=n * 2000, reason="the cloud cannot be reached (ConnectError)",
    )
    fold_overflow([Metered(camera.organization_id, camera.pk, state, began_at)])
"""


def test_it_works(hub: Hub, page: Page, agent: SimulatedAgent) -> None:
    hub.manage("shell", "-c", _COUNTED)
    page.goto("/")
    page.locator("[data-wall]").get_by_role("link", name="Street", exact=True).click()
    chart = page.locator("[data-overflow-chart]")
    expect(chart).to_have_attribute("data-loaded", "24h")
    expect(chart.locator("[data-key]")).to_contain_text("in the cloud")
    for name, span in (("7 d", "7d"), ("30 d", "30d"), ("24 h", "24h")):
        chart.get_by_role("button", name=name, exact=True).click()
        expect(chart).to_have_attribute("data-loaded", span)
    expect(chart.locator("canvas")).to_have_count(1)
    box = chart.locator(".u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    expect(chart.locator(".chart__tip")).to_contain_text("MB")
    expect(chart.get_by_text("of 400.0 MB")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("() => document.documentElement.scrollWidth <= 390")


def test_an_admin_chooses_what_goes_to_the_cloud(page: Page, agent: SimulatedAgent) -> None:
    page.goto("/")
    page.locator("[data-wall]").get_by_role("link", name="Street", exact=True).click()
    page.get_by_role("link", name="Settings").click()
    page.locator("#overflow > summary").click()
    page.get_by_label("Which pictures").select_option("doubtful")
    page.get_by_label("Megabytes a day").fill("25")
    page.get_by_role("button", name="Save").click()
    chart = page.locator("[data-overflow-chart]")
    expect(chart).to_contain_text("Those in which the agent is in doubt")
    expect(chart).to_contain_text("of 25.0 MB")
    # As it was: other tests look at this camera, too.
    page.get_by_role("link", name="Settings").click()
    page.locator("#overflow > summary").click()
    page.get_by_label("Which pictures").select_option("off")
    page.get_by_role("button", name="Save").click()
    page.wait_for_selector("[data-live-view]")
