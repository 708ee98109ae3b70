"""The chart of what pictures are like."""

from playwright.sync_api import Page, expect


def test_it_works(camera_page: Page) -> None:
    chart = camera_page.locator("[data-quality-chart]")
    expect(chart).to_have_attribute("data-loaded", "sharpness 1h")
    for name, span in (("24 h", "24h"), ("7 d", "7d"), ("90 d", "90d"), ("1 h", "1h")):
        chart.get_by_role("button", name=name, exact=True).click()
        expect(chart).to_have_attribute("data-loaded", f"sharpness {span}")
    chart.get_by_role("button", name="Brightness").click()
    expect(chart).to_have_attribute("data-loaded", "brightness 1h")
    expect(chart.locator("canvas")).to_have_count(1)
    box = chart.locator(".u-over").bounding_box()
    assert box is not None
    camera_page.mouse.move(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    expect(chart.locator(".chart__tip")).to_contain_text("Frames measured")
