"""What tests do with the scene editor again and again."""

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from processing.wire.camera import DesiredCamera

Point = tuple[float, float]
"""In the picture, 0..1."""
Told = Callable[[], DesiredCamera]


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[data-part=saving]")).to_have_text("Saved")


def at(page: Page, point: Point) -> Point:
    """Return where on the page a point of the picture (0..1) is."""
    box = page.locator("[data-part=drawing]").bounding_box()
    assert box is not None
    return box["x"] + point[0] * box["width"], box["y"] + point[1] * box["height"]


def tap(page: Page, *points: Point) -> None:
    for point in points:
        page.mouse.click(*at(page, point))


def drag(page: Page, start: Point, end: Point) -> None:
    page.mouse.move(*at(page, start))
    page.mouse.down()
    page.mouse.move(*at(page, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)))
    page.mouse.move(*at(page, end))
    page.mouse.up()


def tool(page: Page, name: str) -> Locator:
    return page.get_by_role("toolbar", name="Draw").get_by_role("button", name=name)


def near(found: tuple[Point, ...], wanted: tuple[Point, ...]) -> bool:
    """Return whether two outlines are the same, to two pixels or so."""
    return len(found) == len(wanted) and all(
        abs(a - b) < 0.01
        for pair in zip(found, wanted, strict=True)
        for a, b in zip(*pair, strict=True)
    )


def outline(camera: DesiredCamera) -> tuple[Point, ...]:
    """Return the corners of its only zone."""
    return camera.scene.zones[0].polygon if camera.scene.zones else ()
