"""Labelers drop pictures and sets onto a page, see how far they are and what came of them."""

import base64
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.accessibility import serious_faults
from tests.browser.conftest import Complaints
from tests.browser.review.conftest import Visitor
from tests.browser.review.desk import Desk
from tests.processing.exchange.archives import zipped

_DROP = """files => {
  const dropped = new DataTransfer();
  for (const { name, mimeType, content } of files) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    dropped.items.add(new File([bytes], name, { type: mimeType }));
  }
  const target = document.querySelector("[data-part=zone]");
  for (const kind of ["dragover", "drop"]) {
    const told = { dataTransfer: dropped, bubbles: true, cancelable: true };
    target.dispatchEvent(new DragEvent(kind, told));
  }
}"""


def picture(seed: int) -> bytes:
    colours = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    large = cv2.resize(colours, (64, 48), interpolation=cv2.INTER_NEAREST)
    return bytes(cv2.imencode(".jpg", large)[1].tobytes())


def coco() -> bytes:
    image = {"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}
    box = {"image_id": 1, "category_id": 5, "bbox": [8, 8, 16, 16]}
    categories = [{"id": 5, "name": "cat"}]
    return json.dumps({"images": [image], "categories": categories, "annotations": [box]}).encode()


def drop(page: Page, *files: tuple[str, bytes]) -> None:
    """Drop files onto the page."""
    told = [
        {"name": name, "mimeType": "", "content": base64.b64encode(content).decode()}
        for name, content in files
    ]
    page.evaluate(_DROP, told)


def opened(visitor: Visitor, desk: Desk, *, width: int = 1280) -> Page:
    page = visitor(desk.new_work().session, width=width)
    page.goto("/review/")
    page.get_by_role("link", name="Import").click()
    expect(page.locator("[data-imports]")).to_have_attribute("data-state", "ready")
    return page


def the_import(page: Page, name: str, state: str) -> str:
    """Wait until the hub's import of that name is so; return what is said of it."""
    row = page.locator("#imports li").filter(has=page.get_by_text(name, exact=True))
    expect(row.get_by_text(state, exact=True)).to_be_visible(timeout=60_000)
    return row.locator(".import__words").inner_text()


def test_it_works(desk: Desk, visitor: Visitor) -> None:
    page = opened(visitor, desk)
    drop(page, ("set.zip", zipped([("set.json", coco()), ("a.jpg", picture(1))])))
    words = the_import(page, "set.zip", "Done")
    assert words == "1 picture, 1 labelled with 1 box."
    expect(page.locator("[data-part=said]")).to_contain_text("1 labelled with 1 box")


def test_loose_files_travel_as_one_set(desk: Desk, visitor: Visitor) -> None:
    page = opened(visitor, desk)
    files = [("set.json", coco()), ("a.jpg", picture(1)), ("b.jpg", picture(2))]
    drop(page, *files, ("notes.docx", b"-"))
    expect(page.get_by_text("1 file of other kinds stays here.")).to_be_visible()
    words = the_import(page, "3 files.zip", "Done")
    assert words == "2 pictures, 1 labelled with 1 box, 1 for the labelers."


def test_a_folder_travels_as_one_set(desk: Desk, visitor: Visitor, tmp_path: Path) -> None:
    folder = tmp_path / "street"
    (folder / "labels").mkdir(parents=True)
    (folder / "images").mkdir()
    (folder / "data.yaml").write_text("names: [cät, dog]\n")
    (folder / "images" / "ä.jpg").write_bytes(picture(3))
    (folder / "labels" / "ä.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    (folder / ".DS_Store").write_bytes(b"litter")
    page = opened(visitor, desk)
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Choose a folder").press("Enter")
    chosen.value.set_files(folder)
    assert the_import(page, "street.zip", "Done") == "1 picture, 1 labelled with 1 box."


def test_a_refusal_is_told_in_words(desk: Desk, visitor: Visitor, complaints: Complaints) -> None:
    complaints.expected = ("400", "/uploads/imports/")
    page = opened(visitor, desk)
    drop(page, ("up.zip", zipped([("../a.jpg", picture(1))])), ("b.zip", b"not a zip"))
    sent = page.locator("[data-part=rows] li").filter(has_text="b.zip")
    expect(sent).to_contain_text("This is neither a zip archive nor a JPEG or PNG picture.")
    words = the_import(page, "up.zip", "Failed")
    assert "leads out of the archive" in words
    page.get_by_role("button", name="Dismiss b.zip").click()
    expect(sent).to_have_count(0)


def test_what_is_on_its_way_shows_how_far_and_can_be_cancelled(
    desk: Desk, visitor: Visitor
) -> None:
    page = opened(visitor, desk)
    session = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 20_000}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", slow)
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Choose files").click()
    large = FilePayload(name="large.zip", mimeType="application/zip", buffer=bytes(400_000))
    chosen.value.set_files([large])
    row = page.locator("[data-part=rows] li")
    expect(row).to_contain_text("% of 391 kB")
    expect(page.locator("#imports").get_by_text("large.zip")).to_be_hidden()
    row.get_by_role("button", name="Cancel large.zip").click()
    session.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    expect(row).to_have_count(0)
    assert the_import(page, "large.zip", "Cancelled") == "Nothing was taken in."


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_nobody_is_kept_from_it(desk: Desk, visitor: Visitor, theme: str, width: int) -> None:
    page = opened(visitor, desk, width=width)
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    files = [("a.jpg", picture(1)), ("broken.jpg", b"\xff\xd8\xff, not really")]
    drop(page, ("set.zip", zipped(files)), ("up.zip", zipped([("../a.jpg", picture(1))])))
    the_import(page, "set.zip", "Done")
    the_import(page, "up.zip", "Failed")
    page.get_by_text("What was left out, and why").click()
    reason = page.get_by_text("broken.jpg: the JPEG has no size")
    expect(reason).to_be_visible()
    with page.expect_response("**/imports/"):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('fw:jobs'))")
    expect(reason).to_be_visible()
    assert serious_faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
