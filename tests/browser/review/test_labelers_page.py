"""Admins see how labelers' days went, and deal with one whose work went bad."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import serious_faults
from tests.browser.review.conftest import Visitor
from tests.browser.review.desk import Desk

_SEED = """
import json
from datetime import timedelta
from random import Random
from django.test import Client
from tests.factories import *
from webapp.accounts.models import Role
from webapp.common.clock import now
from webapp.review.actions import submit_verdict
from webapp.review.boxes import Box
from webapp.review.models import Check, LabelerFlag, Verdict

draw, at, organization = Random(4), now(), make_organization()
tail = organization.pk.hex[-10:]
admin = make_user("admin-" + tail, organization=organization, role=Role.ADMIN)
people = {
    name: make_user(name + "-" + tail, organization=organization, role=Role.LABELER)
    for name in ("gil", "mel")
}
camera = make_camera(make_agent(make_site(organization)), name="Gate")
bundle = make_bundle(organization, labels=["person", "bicycle", "car", "dog"])
picture = make_blob(organization)
for days_ago in range(24, -1, -2):
    when = at - timedelta(days=days_ago)
    for name, user in people.items():
        for _ in range(2):
            item = make_review_item(make_sample(camera, bundle, picture=picture), at=when)
            box = Box((0.1, 0.2, 0.5, 0.6), "car")
            verdict = submit_verdict(item=item, by=user, revision=0, boxes=[box], at=when)
            is_right = draw.random() < (0.95 if name == "gil" or days_ago > 10 else 0.4)
            Verdict.objects.filter(pk=verdict.pk).update(
                seconds=draw.uniform(4, 7) if name == "gil" else draw.uniform(2, 5),
                agreement=1.0 if is_right else 0.5,
                is_gold=draw.random() < 0.5,
            )
            if draw.random() < 0.6:
                Verdict.objects.filter(pk=verdict.pk).update(
                    error=0.0 if is_right else 1.0, judged_at=when
                )
                Check.objects.create(
                    organization=organization, verdict=verdict, by=admin, created_at=when,
                    decision="accepted" if is_right else "fixed",
                )
flag = LabelerFlag.objects.create(
    organization=organization, queue=item.queue, labeler=people["mel"], raised_at=at,
    n_judged=41, mean_error=0.31,
)
sessions = {}
for name, user in {"admin": admin, **people}.items():
    browser = Client()
    browser.force_login(user)
    sessions[name] = browser.session.session_key
names = {name: user.username for name, user in people.items()}
print(json.dumps({"sessions": sessions, **names}))
"""


@pytest.fixture
def crowd(desk: Desk) -> dict[str, object]:
    """Two labelers with a month of work, of whom Mel is flagged."""
    seeded: dict[str, object] = json.loads(
        desk.hub.manage("shell", "-v", "0", "-c", _SEED).splitlines()[-1]
    )
    return seeded


def opened(visitor: Visitor, crowd: dict[str, object], name: str) -> Page:
    sessions = crowd["sessions"]
    assert isinstance(sessions, dict)
    page = visitor(sessions[name])
    page.goto("/review/labelers/")
    return page


def test_it_works(crowd: dict[str, object], visitor: Visitor) -> None:
    page = opened(visitor, crowd, "admin")
    mel = page.get_by_role("article", name=str(crowd["mel"]))
    expect(mel.locator(".spark__chart canvas")).to_have_count(4)
    expect(mel.get_by_text("Look at this work")).to_be_visible()
    assert serious_faults(page) == []
    chart = mel.locator("[data-spark=gold] .u-over")
    chart.hover()
    expect(mel.locator("[data-spark=gold] .chart__tip")).to_contain_text("Known pictures right")
    mel.get_by_role("button", name="Take the work back…").click()
    dialog = page.get_by_role("dialog", name=re.compile("Take back the work of"))
    expect(dialog.locator("[data-would]")).to_contain_text("will be decided by others")
    everything = dialog.locator("[data-would]").inner_text()
    dialog.get_by_label("Decided from this day").fill("2099-01-01")
    expect(dialog.locator("[data-would]")).to_contain_text("0 pictures will be decided by others")
    dialog.get_by_label("Decided from this day").fill("")
    expect(dialog.locator("[data-would]")).to_have_text(everything)
    dialog.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text(re.compile("will be decided by others; .* stay"))).to_be_visible()
    expect(mel.get_by_text("Look at this work")).to_have_count(0)


def test_a_flag_is_closed(crowd: dict[str, object], visitor: Visitor) -> None:
    page = opened(visitor, crowd, "admin")
    page.get_by_role("button", name="Close the flag").click()
    expect(page.get_by_text(f"The flag of {crowd['mel']} is closed.")).to_be_visible()
    expect(page.get_by_text("Look at this work")).to_have_count(0)


def test_a_labeler_sees_themselves_and_no_buttons(
    crowd: dict[str, object], visitor: Visitor
) -> None:
    page = opened(visitor, crowd, "mel")
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_text("Look at this work")).to_be_visible()
    expect(page.get_by_role("button", name="Close the flag")).to_have_count(0)
