"""Who watches a camera says that something is wrong: the very picture goes to the labelers."""

from playwright.sync_api import Page, expect

from tests.browser.test_live_picture import wait_for_pictures
from tests.journeys.processes import wait_for


def test_it_works(camera_page: Page) -> None:
    wait_for_pictures(camera_page, 5)
    camera_page.get_by_role("button", name="This is wrong").click()
    expect(camera_page.get_by_text("labelers look at this picture next")).to_be_visible()

    def asked() -> dict[str, object] | None:
        answer = camera_page.request.get("/api/v1/review-items/?state=open").json()
        items: list[dict[str, object]] = answer["results"]
        return next((item for item in items if item["reason"] == "reported"), None)

    item = wait_for("labelers are asked", asked)
    assert str(item["why"]).endswith("who was watching")
    sample = camera_page.request.get(f"/api/v1/samples/{item['sample']}/").json()
    assert sample["predictions"], "with what the model said of that frame"
    assert (sample["width"], sample["height"]) == (640, 360)
