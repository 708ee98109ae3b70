"""A box corrected with the keyboard comes out of the export where the labeler left it."""

import io
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from playwright.sync_api import Page
from pycocotools.coco import COCO

from tests.browser.review.conftest import Reviewer
from tests.browser.review.desk import HEIGHT, WIDTH, Desk, has_changes, is_open, is_saved, press
from tests.journeys.processes import wait_for


def test_it_works(desk: Desk, reviewer: Reviewer, tmp_path: Path) -> None:
    work = desk.new_work()
    page = reviewer(work)
    # The most doubtful box comes first: the person. Three right, ten down, two wider; it is a dog.
    press(page, "Tab", *["ArrowRight"] * 3, "Shift+ArrowDown", *["Alt+ArrowRight"] * 2, "c")
    page.keyboard.type("do")
    press(page, "Enter")
    has_changes(page, "1 change")
    press(page, "Enter")
    is_open(page, work.items[1])
    is_saved(page)

    coco = export(page, tmp_path)
    names = {category["id"]: category["name"] for category in coco.dataset["categories"]}
    found = {names[box["category_id"]]: box["bbox"] for box in coco.dataset["annotations"]}
    assert found["dog"] == pytest.approx([103, 70, 62, 140], abs=0.02)
    assert found["bicycle"] == pytest.approx([300, 100, 120, 80], abs=0.02)
    assert set(found) == {"dog", "bicycle"}
    (image,) = coco.dataset["images"]
    assert (image["width"], image["height"]) == (WIDTH, HEIGHT)
    assert len(coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))) == 2


def export(page: Page, folder: Path) -> COCO:
    """Export over the API and read it with pycocotools."""
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    headers = {"X-CSRFToken": cookies["csrftoken"], "Referer": page.url}
    asked = page.request.post("/api/v1/exports/", data={}, headers=headers)
    assert asked.status == 202, asked.text()

    def file() -> str | None:
        job = page.request.get(asked.headers["location"]).json()
        assert job["state"] in {"waiting", "running", "done"}, job
        return str(job["file"]) if job["file"] else None

    path = folder / "export.json"
    path.write_bytes(page.request.get(wait_for("the export is done", file)).body())
    with redirect_stdout(io.StringIO()):
        return COCO(str(path))
