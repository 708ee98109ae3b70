"""Everything can be done without a pointer, and no key does harm while somebody types."""

import pytest
from playwright.sync_api import expect

from tests.browser.review.conftest import Reviewer
from tests.browser.review.desk import (
    BICYCLE,
    PERSON,
    Desk,
    boxes_now,
    has_changes,
    is_open,
    is_saved,
    item_now,
    press,
)


def test_it_works(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    press(page, "a")
    is_open(page, work.items[1])
    is_saved(page)
    assert item_now(page, work.items[0])["decided"]["outcome"] == "Accepted as predicted"
    assert boxes_now(page, work.items[0]) == {"person": PERSON, "bicycle": BICYCLE}


def test_a_box_is_made_without_a_pointer(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    press(page, "b", "3", "Shift+ArrowLeft", "Alt+Shift+ArrowDown", "Alt+ArrowUp")
    press(page, "Enter")
    is_open(page, work.items[1])
    is_saved(page)
    assert boxes_now(page, work.items[0]) == {
        "person": PERSON,
        "bicycle": BICYCLE,
        "car": (246.0, 108.8, 374.0, 172.2),
    }


def test_boxes_are_deleted_and_brought_back(desk: Desk, reviewer: Reviewer) -> None:
    page = reviewer(desk.new_work())
    press(page, "Tab", "Delete")
    has_changes(page, "1 change")
    expect(page.locator(".ghost--removed")).to_have_count(1)
    page.get_by_role("button", name="Bring person back").press("Enter")
    has_changes(page, "As predicted")


def test_edits_are_undone_and_redone(desk: Desk, reviewer: Reviewer) -> None:
    page = reviewer(desk.new_work())
    press(page, "Tab", "ArrowRight", "ArrowRight", "4")
    has_changes(page, "1 change")
    press(page, "Control+z", "Control+z")
    has_changes(page, "As predicted")
    press(page, "Control+y")
    has_changes(page, "1 change")


def test_accepting_does_not_drop_what_was_changed(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    press(page, "Tab", "ArrowRight", "a")
    expect(page.get_by_text("You changed something")).to_be_visible()
    is_open(page, work.items[0])
    has_changes(page, "1 change")


def test_tab_leaves_the_picture_after_the_last_box(desk: Desk, reviewer: Reviewer) -> None:
    page = reviewer(desk.new_work())
    press(page, "Tab", "Tab")
    expect(page.locator(".box-row.is-selected")).to_contain_text("bicycle")
    press(page, "Tab")
    expect(page.locator(".box-row.is-selected")).to_have_count(0)
    expect(page.get_by_role("button", name="Box", exact=False).first).to_be_focused()


def test_keys_mean_letters_while_somebody_types(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    press(page, "Tab", "c")
    page.keyboard.type("xans19")
    press(page, "ArrowLeft", "Delete")
    expect(page.get_by_role("combobox", name="Class")).to_have_value("xans1")
    press(page, "Escape")
    is_open(page, work.items[0])
    has_changes(page, "As predicted")


def test_a_key_held_down_decides_once(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    page.keyboard.down("a")
    is_open(page, work.items[1])
    for _ in range(5):
        page.keyboard.down("a")
    page.keyboard.up("a")
    is_saved(page)
    is_open(page, work.items[1])


@pytest.mark.parametrize(("key", "state"), [("s", "open"), ("t", "ambiguous")])
def test_a_picture_is_skipped(desk: Desk, reviewer: Reviewer, key: str, state: str) -> None:
    work = desk.new_work()
    page = reviewer(work)
    press(page, "s")
    expect(page.get_by_role("dialog", name="Skip this picture")).to_be_visible()
    press(page, key)
    is_open(page, work.items[1])
    is_saved(page)
    assert item_now(page, work.items[0])["state"] == state


def test_a_corner_is_moved_by_keys(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    press(page, "Tab", "k", "Shift+ArrowRight", "k", "ArrowUp")
    expect(page.locator(".corner")).to_have_count(1)
    press(page, "Enter")
    is_open(page, work.items[1])
    is_saved(page)
    x0, y0, x1, y1 = PERSON
    assert boxes_now(page, work.items[0])["person"] == (x0 + 10, y0 - 1, x1, y1)


def test_what_is_said_beside_boxes_is_kept(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    press(page, "Tab", "v")
    has_changes(page, "1 change")
    press(page, "w")
    page.keyboard.type("dog")
    press(page, "Enter")
    has_changes(page, "2 changes")
    page.get_by_label("What the model got right or wrong with bicycle").select_option("false")
    has_changes(page, "3 changes")
    page.locator("[data-part=stage]").focus()
    press(page, "Control+z", "Enter")
    is_open(page, work.items[1])
    is_saved(page)
    decided = item_now(page, work.items[0])["decided"]
    assert decided["classes"] == ["dog"]
    assert decided["findings"] == {"predictions": ["wrong_class", "right"], "n_missed": 0}


def test_the_picture_before_lends_its_boxes(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    press(page, "b", "3", "Enter")
    is_open(page, work.items[1])
    press(page, "p")
    has_changes(page, "1 change")  # the person and the bicycle are here already
    expect(page.locator("[data-part=boxes]")).to_contain_text("car")


def test_what_is_seen_is_changed_by_keys_and_stays(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    picture, drawn = page.locator(".stage__frame img"), page.locator(".a9s-annotationlayer")
    whole = picture.bounding_box()
    press(page, "g")
    expect(page.locator(".ghost")).to_have_count(2)
    press(page, "g", "h")
    expect(drawn).to_be_hidden()
    press(page, "h", "+", "+", "ArrowRight", "]", ".")
    expect(picture).to_have_css("filter", "brightness(1.1) contrast(1.1)")
    near = picture.bounding_box()
    assert whole is not None
    assert near is not None
    assert near["width"] == pytest.approx(1.25**2 * whole["width"], rel=0.01)
    press(page, "a")
    is_open(page, work.items[1])
    assert picture.bounding_box() == near
    press(page, "0")
    assert picture.bounding_box() == whole


def test_keys_are_chosen_by_a_labeler_and_stay(desk: Desk, reviewer: Reviewer) -> None:
    work = desk.new_work()
    page = reviewer(work)
    press(page, "?")
    help_ = page.get_by_role("dialog", name="Keys")
    accept = help_.get_by_role("button", name="Accept all, next picture")
    accept.click()
    press(page, "Tab")
    expect(help_).to_contain_text("That key is taken")
    accept.click()
    with page.expect_response("**/review/keys/"):
        press(page, "q")
    expect(accept).to_contain_text("Q")
    press(page, "Escape")
    expect(help_).to_be_hidden()
    press(page, "a")
    is_open(page, work.items[0])
    page.goto(f"/review/{work.items[0]}/")
    is_open(page, work.items[0])
    expect(page.get_by_role("button", name="Accept all")).to_contain_text("Q")
    press(page, "q")
    # Which one is next depends on what the page that was left has given back by now.
    page.wait_for_url(lambda url: work.items[0] not in url)
