"""Drawing zones and writing rules, as a person does, down to what the agent is told."""

import pytest
from playwright.sync_api import Page, expect

from processing.wire.scene import InZone, Scene
from tests.browser.conftest import Complaints
from tests.browser.scene.desk import Told, drag, near, outline, save, tap, tool
from tests.journeys.processes import wait_for


def test_it_works(editor: Page, told: Told) -> None:
    corners = ((0.1, 0.3), (0.5, 0.25), (0.55, 0.8), (0.2, 0.9))
    tool(editor, "Zone").click()
    tap(editor, *corners)
    editor.get_by_role("button", name="Done").click()
    editor.get_by_label("Name of the zone").fill("Doorstep")
    editor.get_by_role("button", name="Add a rule").click()
    editor.get_by_label("Add a class").fill("person")
    editor.get_by_label("Add a class").press("Enter")
    editor.get_by_label("How long, in seconds").fill("3")
    editor.get_by_label("Severity").select_option(label="an alarm")
    save(editor)

    def drawn() -> Scene | None:
        scene = told().scene
        return scene if [zone.name for zone in scene.zones] == ["Doorstep"] else None

    scene = wait_for("the agent is told", drawn)
    (zone,), (rule,) = scene.zones, scene.rules
    assert near(zone.polygon, corners)
    assert rule.name == "Person in Doorstep"
    assert rule.condition == InZone(zone_id=zone.zone_id, after_s=3.0)
    assert (rule.labels, rule.severity) == (("person",), "error")
    editor.reload()
    expect(editor.get_by_label("Name of the zone")).to_have_value("Doorstep")
    expect(editor.locator(".shape--zone")).to_have_count(1)


def test_a_corner_is_dragged_added_and_taken_away(editor: Page, told: Told) -> None:
    tool(editor, "Zone").click()
    drag(editor, (0.2, 0.2), (0.6, 0.6))
    drag(editor, (0.6, 0.6), (0.8, 0.9))
    drag(editor, (0.4, 0.2), (0.4, 0.1))
    expect(editor.locator(".handle")).to_have_count(5)
    editor.get_by_role("button", name="Corner 1 of Zone 1").focus()
    editor.keyboard.press("Delete")
    expect(editor.locator(".handle")).to_have_count(4)
    save(editor)
    wanted = ((0.4, 0.1), (0.6, 0.2), (0.8, 0.9), (0.2, 0.6))
    wait_for("the agent is told", lambda: near(outline(told()), wanted))


def test_a_keyboard_draws_too(editor: Page, told: Told) -> None:
    tool(editor, "Zone").focus()
    editor.keyboard.press("Enter")
    expect(editor.get_by_role("button", name="Corner 1 of Zone 1")).to_be_focused()
    before = editor.locator(".handle").first.get_attribute("aria-label")
    editor.keyboard.press("Shift+ArrowRight")
    editor.keyboard.press("ArrowDown")
    after = editor.locator(".handle").first.get_attribute("aria-label")
    assert (before, after) == (
        "Corner 1 of Zone 1, 30 % from left, 30 % from top",
        "Corner 1 of Zone 1, 35 % from left, 31 % from top",
    )
    editor.keyboard.press("Tab")
    expect(editor.get_by_role("button", name="Corner 2 of Zone 1")).to_be_focused()
    editor.keyboard.press("+")
    expect(editor.get_by_role("button", name="Corner 3 of Zone 1")).to_be_focused()
    expect(editor.locator(".handle")).to_have_count(5)
    editor.keyboard.press("Control+z")
    expect(editor.locator(".handle")).to_have_count(4)
    editor.keyboard.press("Control+s")
    expect(editor.locator("[data-part=saving]")).to_have_text("Saved")
    wait_for("the agent is told", lambda: near(outline(told())[:1], ((0.35, 0.305),)))


def test_a_name_that_a_keyboard_reaches_is_typed_anew(editor: Page) -> None:
    tool(editor, "Zone").click()
    drag(editor, (0.2, 0.2), (0.6, 0.6))
    tool(editor, "Line").click()
    drag(editor, (0.7, 0.2), (0.9, 0.6))
    editor.get_by_role("button", name="Undo").focus()
    name = editor.get_by_label("Name of the zone")
    while not name.evaluate("(input) => input === document.activeElement"):
        editor.keyboard.press("Tab")
    editor.keyboard.type("Doorstep")
    expect(name).to_have_value("Doorstep")
    expect(editor.locator(".scene-shape.is-selected").get_by_role("textbox")).to_have_value(
        "Doorstep"
    )


def test_a_new_rule_is_of_what_is_selected(editor: Page) -> None:
    tool(editor, "Zone").click()
    drag(editor, (0.1, 0.2), (0.3, 0.6))
    tool(editor, "Zone").click()
    drag(editor, (0.5, 0.2), (0.7, 0.6))
    tool(editor, "Line").click()
    drag(editor, (0.8, 0.2), (0.9, 0.6))
    names = editor.locator(".scene-shape").get_by_role("textbox")
    add = editor.get_by_role("button", name="Add a rule")
    add.click()
    names.nth(1).click()
    add.click()
    titles = editor.get_by_label("Name of the rule")
    expect(titles.nth(0)).to_have_attribute("placeholder", "Anything crosses Line 1")
    expect(titles.nth(1)).to_have_attribute("placeholder", "Anything in Zone 2")


def test_an_arrow_shows_where_forward_is(editor: Page, told: Told) -> None:
    tool(editor, "Line").click()
    drag(editor, (0.2, 0.5), (0.8, 0.5))
    tip = "() => document.querySelector('.shape__arrow').points[1].y"
    middle = "() => document.querySelector('[data-part=drawing]').viewBox.baseVal.height / 2"
    # Seen from its start at the left, right is down.
    assert editor.evaluate(tip) > editor.evaluate(middle)
    editor.get_by_role("button", name="Turn Line 1 round").click()
    assert editor.evaluate(tip) < editor.evaluate(middle)
    editor.get_by_role("button", name="Add a rule").click()
    editor.get_by_label("Direction").select_option("forward")
    save(editor)
    wait_for(
        "the agent is told",
        lambda: any(
            near((line.start, line.end), ((0.8, 0.5), (0.2, 0.5))) for line in told().scene.lines
        ),
    )


def test_a_part_is_hidden_and_a_region_looked_at(editor: Page, told: Told) -> None:
    tool(editor, "Hide a part").click()
    drag(editor, (0.7, 0.1), (0.9, 0.3))
    tool(editor, "Region").click()
    drag(editor, (0.1, 0.05), (0.95, 0.9))
    save(editor)
    hidden = ((0.7, 0.1), (0.9, 0.1), (0.9, 0.3), (0.7, 0.3))
    wait_for("the agent is told", lambda: any(near(zone, hidden) for zone in told().privacy.zones))
    region = told().region
    looked_at = ((region.left, region.top), (region.right, region.bottom))
    assert near(looked_at, ((0.1, 0.05), (0.95, 0.9)))


def test_who_saves_second_is_told_and_loses_nothing(
    editor: Page, told: Told, complaints: Complaints
) -> None:
    complaints.expected = ("409",)
    other = editor.context.new_page()
    other.goto(editor.url)
    expect(other.locator("[data-scene-editor]")).to_have_attribute("data-state", "ready")
    for page, name in ((editor, "Mine"), (other, "Theirs")):
        tool(page, "Zone").click()
        drag(page, (0.2, 0.2), (0.6, 0.6))
        page.get_by_label("Name of the zone").fill(name)
    save(other)
    editor.get_by_role("button", name="Save", exact=True).click()
    notice = editor.locator(".scene-notice")
    expect(notice).to_contain_text("Somebody else has changed this drawing")
    expect(editor.get_by_label("Name of the zone")).to_have_value("Mine")
    editor.get_by_role("button", name="Take theirs").click()
    expect(editor.get_by_label("Name of the zone")).to_have_value("Theirs")
    editor.get_by_role("button", name="Undo").click()
    expect(editor.get_by_label("Name of the zone")).to_have_value("Mine")
    save(editor)
    wait_for("the agent is told", lambda: [zone.name for zone in told().scene.zones] == ["Mine"])
    other.close()


def test_what_the_hub_refuses_is_said_where_it_is(editor: Page, complaints: Complaints) -> None:
    complaints.expected = ("422",)
    tool(editor, "Zone").click()
    drag(editor, (0.2, 0.2), (0.6, 0.6))
    editor.get_by_role("button", name="Add a rule").click()
    editor.get_by_role("button", name="Delete Zone 1").click()
    editor.get_by_role("button", name="Save", exact=True).click()
    expect(editor.locator(".scene-rule .field__error")).to_contain_text("Choose a zone.")
    editor.get_by_label("What happens").select_option(label="camera is tampered with")
    save(editor)


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_screen(editor: Page, width: int) -> None:
    editor.set_viewport_size({"width": width, "height": 844})
    tool(editor, "Zone").click()
    drag(editor, (0.2, 0.2), (0.6, 0.6))
    editor.get_by_role("button", name="Add a rule").click()
    assert editor.evaluate("document.documentElement.scrollWidth") <= width
    expect(editor.locator(".shape--zone")).to_have_count(1)
