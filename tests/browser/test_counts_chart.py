"""The chart of counts per class."""

from playwright.sync_api import Page, expect


def test_it_works(camera_page: Page) -> None:
    chart = camera_page.locator("[data-counts-chart]")
    expect(chart).to_have_attribute("data-loaded", "seen 1h")
    chart.get_by_role("button", name="At once").click()
    expect(chart).to_have_attribute("data-loaded", "peak 1h")
    legend = chart.locator("[data-legend]")
    expect(legend.get_by_role("button", name="person")).to_be_visible()
    plot = chart.locator(".u-over")
    box = plot.bounding_box()
    assert box is not None
    camera_page.mouse.move(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    expect(chart.locator(".chart__tip")).to_contain_text("person")


def test_every_range_loads(camera_page: Page) -> None:
    chart = camera_page.locator("[data-counts-chart]")
    expect(chart).to_have_attribute("data-loaded", "seen 1h")
    for name, span in (
        ("24 h", "24h"),
        ("7 d", "7d"),
        ("30 d", "30d"),
        ("90 d", "90d"),
        ("1 h", "1h"),
    ):
        chart.get_by_role("button", name=name, exact=True).click()
        expect(chart).to_have_attribute("data-loaded", f"seen {span}")
    expect(chart.locator("canvas")).to_have_count(1)


def test_a_class_can_be_left_out(camera_page: Page) -> None:
    chart = camera_page.locator("[data-counts-chart]")
    expect(chart).to_have_attribute("data-loaded", "seen 1h")  # it can be pressed from now on
    chart.get_by_role("button", name="At once").click()
    expect(chart).to_have_attribute("data-loaded", "peak 1h")  # its legend stays for a while now
    car = chart.locator("[data-legend]").get_by_role("button", name="car")
    car.click()
    expect(car).to_have_attribute("aria-pressed", "false")


def test_a_chip_outlives_what_is_drawn_anew(camera_page: Page) -> None:
    chip = camera_page.locator("[data-counts-chart] [data-legend]").get_by_role("button").first
    expect(chip).to_be_visible()
    pressed = chip.element_handle()
    drawn_anew = "() => document.body.dispatchEvent(new CustomEvent('fw:theme'))"
    camera_page.evaluate(drawn_anew)  # as a renewal does, between press and release
    assert pressed.evaluate("(chip) => chip.isConnected")
