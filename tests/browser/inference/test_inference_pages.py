"""People make keys, try a picture, and share what comes among versions; on a phone as well."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_faults
from tests.browser.conftest import Complaints
from tests.browser.inference.conftest import TierDesk, Visitor
from tests.factories import JPEG

each_look = pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])


def fits(page: Page, width: int) -> bool:
    return int(page.evaluate("document.documentElement.scrollWidth")) <= width


@each_look
def test_a_key_is_made_seen_once_and_called_off(visit: Visitor, theme: str, width: int) -> None:
    page = visit(width=width, theme=theme)
    name = f"Scanner {theme}"
    page.goto("/inference/")
    page.get_by_role("link", name="API keys").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Pictures a day").fill("1000")
    page.get_by_role("button", name="Make a key").click()
    secret = page.locator("#key-secret")
    expect(secret).to_have_text(re.compile(r"^fw_[\w-]{43}$"))
    said = secret.text_content() or ""
    expect(page.locator("#key-curl")).to_contain_text(f"Bearer {said}")
    assert serious_faults(page) == []
    assert fits(page, width)
    page.get_by_role("link", name="Done").click()
    expect(secret).to_have_count(0)
    assert said not in page.content()
    key = page.get_by_role("listitem").filter(has_text=name)
    expect(key).to_contain_text("0 of 1,000 pictures today")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name=f"Revoke {name}").click()
    expect(key).to_contain_text("Revoked just now")
    assert serious_faults(page) == []


@each_look
def test_a_picture_is_judged(
    visit: Visitor, tier_desk: TierDesk, tmp_path: Path, theme: str, width: int
) -> None:
    page = visit(width=width, theme=theme)
    page.goto("/inference/try/")
    assert serious_faults(page) == []
    picture = tmp_path / "street.jpg"
    picture.write_bytes(JPEG)
    page.get_by_label("Picture to judge").set_input_files(picture)
    expect(page.get_by_text("1 thing, by nanodet-g.")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="91 %")).to_contain_text("person")
    expect(page.get_by_text("20 ms")).to_be_visible()
    drawn = page.locator("canvas").evaluate(
        "(canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)"
        ".data.some((value) => value)"
    )
    assert drawn
    heard = tier_desk.tier.heard[-1]
    assert heard.body == JPEG
    assert heard.headers["authorization"].startswith("Bearer fwt_")
    assert "cookie" not in heard.headers
    assert fits(page, width)
    assert serious_faults(page) == []


def test_what_cannot_be_judged_is_said(
    visit: Visitor, complaints: Complaints, tmp_path: Path
) -> None:
    complaints.expected = ("415",)
    page = visit()
    page.goto("/inference/try/")
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear all")
    page.get_by_label("Picture to judge").set_input_files(letter)
    expect(page.get_by_role("alert")).to_have_text("This is no JPEG or PNG.")
    lie = tmp_path / "lie.png"
    lie.write_bytes(b"no picture")
    page.get_by_label("Picture to judge").set_input_files(lie)
    expect(page.get_by_role("alert")).to_have_text("This is no JPEG or PNG.")
    huge = tmp_path / "huge.jpg"
    huge.write_bytes(JPEG + bytes(8 * 2**20))
    page.get_by_label("Picture to judge").set_input_files(huge)
    expect(page.get_by_role("alert")).to_contain_text("at most 8 are taken")


@each_look
def test_the_split_is_seen_before_it_is_saved(visit: Visitor, theme: str, width: int) -> None:
    page = visit(width=width, theme=theme)
    page.goto("/inference/")
    expect(page.locator("[data-traffic-chart]")).to_have_attribute("data-loaded", "24h")
    expect(page.locator("[data-legend]")).to_contain_text("answered 120")
    expect(page.get_by_text("Parking app")).to_be_visible()
    first = page.get_by_label("Weight of version 1 of nanodet-g")
    second = page.get_by_label("Weight of version 2 of nanodet-g")
    shares = page.locator("[data-share]")
    first.fill("9")
    second.fill("3")
    expect(shares).to_have_text(["75 %", "25 %"])
    page.get_by_label("Version 2 of nanodet-g is a shadow").check()
    expect(shares).to_have_text(["100 %", "copies only"])
    first.fill("0")
    expect(page.get_by_text("At least one version must answer.")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Save")).to_be_hidden()
    first.fill("4")
    second.fill("1")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(shares).to_have_text(["80 %", "20 %"])
    assert fits(page, width)
    assert serious_faults(page) == []
    first.fill("1")
    second.fill("1")
    page.get_by_role("button", name="Save").click()
    expect(shares).to_have_text(["50 %", "50 %"])


def test_the_chart_says_how_an_hour_went(visit: Visitor) -> None:
    page = visit()
    page.goto("/inference/")
    chart = page.locator("[data-traffic-chart]")
    expect(chart).to_have_attribute("data-loaded", "24h")
    box = chart.locator(".u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    expect(chart.locator(".chart__tip")).to_contain_text("refused7")
    for name, span in (("7 d", "7d"), ("30 d", "30d")):
        chart.get_by_role("button", name=name).click()
        expect(chart).to_have_attribute("data-loaded", span)
