"""An event from its first word to its clip, as a person sees it: live, without a reload."""

import re
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from processing.wire.messages import ClipMade, EventRaised
from tests.browser.simulated_agent import SimulatedAgent, Street
from tests.browser.small_clip import HEIGHT, WIDTH, make_mp4
from tests.journeys.processes import wait_for
from webapp.review.appraisal import WANTED

Phase = Literal["start", "update", "end"]


class Visit:
    """Somebody comes into a zone, stays and goes: the words of one event."""

    def __init__(self, agent: SimulatedAgent) -> None:
        wait_for("the agent has its camera", lambda: agent.cameras or None)
        self._agent = agent
        self._camera_id = agent.cameras[0].camera_id
        self._event_id = uuid4()
        self.began_at = datetime.now(UTC) - timedelta(seconds=3)
        self.title = f"Person in Yard {self._event_id.hex[:6]}"

    def say(self, phase: Phase, detail: str, *, clip: ClipMade | None = None) -> None:
        self._agent.raise_event(
            EventRaised(
                kind="in_zone",
                occurred_at=datetime.now(UTC) if phase != "start" else self.began_at,
                title=self.title,
                detail=detail,
                camera_id=self._camera_id,
                severity="warning",
                phase=phase,
                event_id=self._event_id,
                rule_id=UUID(int=9),
                started_at=self.began_at,
                labels=("person",),
                tracks=(7,),
                clip=clip,
            )
        )

    def show(self, score: float = 0.8) -> None:
        view = Street().view(round(score * 100))
        self._agent.show_event(self._event_id, self._camera_id, view, score=score)

    def keep_clip(self, seconds: float = 4.0) -> ClipMade:
        return self._agent.keep_clip(make_mp4(seconds), begins_at=self.began_at, seconds=seconds)


@pytest.fixture
def visit(agent: SimulatedAgent) -> Visit:
    return Visit(agent)


def open_events(page: Page, query: str = "") -> None:
    page.goto(f"/events/{query}")
    expect(page.locator("[data-connection]")).to_have_attribute("data-state", "live")


def row_of(page: Page, visit: Visit) -> Locator:
    return page.locator(".moment", has_text=visit.title)


def open_event(page: Page, visit: Visit) -> None:
    open_events(page)
    row_of(page, visit).get_by_role("link", name=visit.title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(visit.title)
    page.wait_for_load_state("domcontentloaded")  # its scripts have run: it can be pressed


def test_an_event_comes_in_by_itself_counts_and_ends(page: Page, visit: Visit) -> None:
    open_events(page)
    visit.say("start", "A person has been in Yard for 3 s")
    row = row_of(page, visit)
    expect(row).to_contain_text(re.compile(r"running for \d+ s"))
    counted = row.locator("[data-running]")
    expect(counted).not_to_have_text(counted.inner_text())
    visit.show()
    expect(row.locator("img")).to_be_visible()
    visit.say("end", "A person was in Yard for 9 s")
    expect(row).to_contain_text("lasted")
    expect(row).to_contain_text("A person was in Yard for 9 s")
    expect(row).to_have_count(1)


def test_its_clip_is_asked_for_comes_and_plays(page: Page, visit: Visit) -> None:
    visit.say("start", "A person has been in Yard for 3 s")
    visit.show()
    visit.say("end", "A person was in Yard for 9 s", clip=visit.keep_clip())
    open_event(page, visit)
    page.get_by_role("button", name="Play the clip").click()
    video = page.locator("video")
    expect(video).to_be_visible()
    page.wait_for_function("() => document.querySelector('video').currentTime > 0.5")
    shape = video.evaluate("(video) => [video.videoWidth, video.videoHeight, video.duration]")
    assert shape == [WIDTH, HEIGHT, pytest.approx(4.0, abs=0.11)]
    video.evaluate("(video) => { video.pause(); video.currentTime = 3; }")
    page.wait_for_function("() => document.querySelector('video').currentTime === 3")
    assert (
        page.request.get(video.get_attribute("src") or "", headers={"Range": "bytes=4-7"}).body()
        == b"ftyp"
    )


def test_a_clip_that_is_gone_says_why(page: Page, agent: SimulatedAgent, visit: Visit) -> None:
    visit.say("start", "Somebody came")
    visit.say("end", "Somebody went", clip=visit.keep_clip(1.0))
    agent.lose_clips()
    open_event(page, visit)
    page.get_by_role("button", name="Play the clip").click()
    expect(page.get_by_text("it made room for newer ones")).to_be_visible()


def test_how_it_went_is_told_as_it_goes(page: Page, visit: Visit) -> None:
    visit.say("start", "One person")
    open_event(page, visit)
    life = page.get_by_role("region", name="How it went")
    expect(life).to_contain_text("One person")
    visit.say("update", "Two persons")
    expect(life).to_contain_text("Two persons")
    visit.say("end", "They have gone")
    expect(page.get_by_role("heading", name="Over")).to_be_visible()


def test_what_is_over_leaves_the_list_of_what_runs(page: Page, visit: Visit) -> None:
    visit.say("start", "Somebody came")
    open_events(page)
    row = row_of(page, visit)
    expect(row).to_be_visible()
    page.get_by_label("Running or over").select_option("running")
    expect(page).to_have_url(re.compile("state=running"))
    expect(row).to_be_visible()
    visit.say("end", "Somebody went")
    expect(row).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_an_event_fits_the_screen(
    page: Page, visit: Visit, width: int, scheme: Literal["light", "dark"]
) -> None:
    visit.say("start", "A person has been in Yard for 3 s")
    visit.show()
    visit.say("update", "Two persons", clip=visit.keep_clip(1.0))
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    open_events(page)
    expect(row_of(page, visit).locator("img")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    open_event(page, visit)
    expect(page.get_by_role("button", name="Play the clip")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_events_are_worked_off_by_keys(page: Page, visit: Visit, agent: SimulatedAgent) -> None:
    other = Visit(agent)
    visit.say("start", "Somebody came")
    other.say("start", "Somebody else came")
    open_events(page, "?taken=no&kind=in_zone")
    rows = page.locator(".moment", has_text="Person in Yard")
    expect(row_of(page, visit)).to_be_visible()
    expect(row_of(page, other)).to_be_visible()
    page.keyboard.press("j")
    here = page.locator(".moment--here")
    expect(here).to_have_count(1)
    page.keyboard.press("j")
    expect(rows.nth(1)).to_have_class(re.compile("moment--here"))
    page.keyboard.press("x")
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.get_by_text("2 chosen")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_text("2 events acknowledged.")).to_be_visible()
    expect(row_of(page, other)).to_have_count(0)
    expect(page.locator("[data-bulk]")).to_be_hidden()


def test_the_event_at_hand_opens_also_when_its_row_was_renewed(page: Page, visit: Visit) -> None:
    visit.say("start", "Somebody came")
    open_events(page)
    expect(row_of(page, visit)).to_be_visible()
    page.keyboard.press("j")
    page.evaluate("document.activeElement.blur()")  # what a renewed row leaves behind
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="What it is")).to_be_visible()


def urgent_items(page: Page) -> set[str]:
    """Return the review items that somebody has asked for."""
    items = page.request.get("/api/v1/review-items/?state=open").json()["results"]
    return {item["id"] for item in items if item["priority"] >= WANTED}


def test_an_event_is_talked_about_and_judged(page: Page, visit: Visit) -> None:
    visit.say("start", "A person has been in Yard for 3 s")
    visit.show()
    open_event(page, visit)
    expect(page.get_by_alt_text("The best picture of it")).to_be_visible()
    life = page.get_by_role("region", name="How it went")
    text = page.get_by_label("Comment")
    text.fill("It was the postman")
    text.press("Control+Enter")
    expect(life).to_contain_text("It was the postman")
    expect(text).to_have_value("")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("button", name="Take back")).to_be_visible()
    before = urgent_items(page)
    page.get_by_role("button", name="False alarm").click()
    expect(page.get_by_text("its picture goes to the labelers")).to_be_visible()
    expect(life).to_contain_text("Marked as a false alarm")
    # A worker makes its item; what this labeler has begun in another test would still come first.
    wait_for("the picture is in the queue", lambda: urgent_items(page) > before)
    (item,) = urgent_items(page) - before
    page.goto(f"/review/{item}/")
    expect(page.get_by_role("heading", level=1)).to_contain_text(
        f"Marked as a false alarm by admin: {visit.title}", ignore_case=True
    )
