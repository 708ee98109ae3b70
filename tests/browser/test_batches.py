"""An operator begins a batch with pictures from their machine, and sees how far it is."""

from pathlib import Path

import cv2
from playwright.sync_api import Page, expect

from tests.journeys.processes import Hub
from tests.processing.tiny_bundle import LABELS, picture

_DECLARE = """
from webapp.batches.bundles import FoundBundle, declare_bundles
from webapp.common.clock import now
declare_bundles([FoundBundle("{digest}", "nowhere", "1", {labels})], at=now())
"""


def write_pictures(folder: Path, n: int) -> list[Path]:
    folder.mkdir()
    for number in range(n):
        drawn = picture((LABELS[number % 3], number % 8, 2))
        assert cv2.imwrite(str(folder / f"{number}.png"), drawn)
    return sorted(folder.iterdir())


def begin(page: Page, hub: Hub, files: list[Path]) -> None:
    declared = _DECLARE.format(digest="0" * 32, labels=list(LABELS))
    hub.manage("shell", "-v", "0", "-c", declared)
    page.goto("/batches/")
    page.get_by_role("link", name="New batch").click()
    page.wait_for_selector("[data-new-batch][data-state=ready]")
    page.locator("[data-part=file-input]").set_input_files(files)
    page.get_by_label("Name").fill("Harbour in May")
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url("**/batches/*-*/")


def test_pictures_are_sent_and_the_batch_is_watched_paused_and_ended(
    page: Page, hub: Hub, tmp_path: Path
) -> None:
    begin(page, hub, write_pictures(tmp_path / "pictures", 5))
    progress = page.locator("#batch-progress")
    expect(progress).to_have_attribute("data-state", "running")  # no worker has this model
    expect(progress.get_by_role("status")).to_contain_text("0 of 5 pictures.")
    progress.get_by_role("button", name="Pause").click()
    expect(progress).to_have_attribute("data-state", "paused")
    progress.get_by_role("button", name="Go on").click()
    expect(progress).to_have_attribute("data-state", "running")
    expect(page.locator(".shot")).to_have_count(5)
    page.set_viewport_size(
        {"width": 1280, "height": 2000}
    )  # all seen: the list is renewed meanwhile
    expect(page.locator(".shot img").first).to_have_js_property("naturalWidth", 64)
    page.locator("#batch-progress").get_by_role("button", name="Cancel").click()
    expect(progress).to_have_attribute("data-state", "cancelled")
    page.goto("/batches/")
    expect(page.get_by_role("link", name="Harbour in May").first).to_be_visible()


def test_what_is_missing_is_said_beside_its_field(page: Page, hub: Hub, tmp_path: Path) -> None:
    page.goto("/batches/new/")
    page.wait_for_selector("[data-new-batch][data-state=ready]")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("[data-error=file_name]")).to_have_text("Choose pictures first.")
    notes = tmp_path / "notes.txt"
    notes.write_text("hello")
    files = page.locator("[data-part=file-input]")
    files.set_input_files(write_pictures(tmp_path / "pictures", 2))
    expect(page.locator("[data-part=chosen]")).to_have_text("2 pictures")
    files.set_input_files([notes])
    expect(page.locator("[data-error=file_name]")).to_have_text("There is no picture in that.")
    expect(page.locator("[data-part=chosen]")).not_to_have_text("2 pictures")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("[data-error=file_name]")).to_have_text("Choose pictures first.")


def test_a_source_is_chosen_by_keyboard_and_fits_a_phone(page: Page, hub: Hub) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/batches/new/")
    page.wait_for_selector("[data-new-batch][data-state=ready]")
    page.get_by_label("From this machine").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Camera", exact=True)).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Folder", exact=True)).to_be_visible()
    for path in ("/batches/new/", "/batches/"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
