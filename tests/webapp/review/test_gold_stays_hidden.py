"""No door shows a labeler a known answer before they have answered."""

import json
from typing import Any

import pytest
from django.test import Client

from tests.factories import START, Clock, make_review_item, make_sample, make_user
from webapp.accounts.models import Role, User
from webapp.fleet.models import Bundle, Camera
from webapp.jobs.models import Job
from webapp.jobs.registry import HANDLERS
from webapp.jobs.running import JobRunner
from webapp.jobs.worker import LEASE, load_tasks
from webapp.review.actions import start_item, submit_verdict
from webapp.review.boxes import Box
from webapp.review.gold import make_gold, retire_gold
from webapp.review.leasing import release_item
from webapp.review.models import GoldAnswer, ReviewItem

A_CAR = Box((0.1, 0.2, 0.5, 0.6), "car")
JSON = "application/json"


@pytest.fixture
def gold(item: ReviewItem, alice: User) -> GoldAnswer:
    """A car, as Alice says."""
    submit_verdict(item=item, by=alice, revision=0, boxes=[A_CAR], at=START)
    return make_gold(item=item, by=alice, at=START)


@pytest.fixture
def labeler(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


@pytest.fixture
def admin(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def got(client: Client, path: str) -> Any:
    answer = client.get(path, headers={"Accept": JSON})
    assert answer.status_code == 200, answer.content
    return answer.json()


def editors(gold: GoldAnswer) -> tuple[str, str]:
    return f"/review/{gold.item_id}/", f"/api/v1/review-items/{gold.item_id}/work/"


def shown(client: Client, path: str) -> Any:
    answer = got(client, path)
    return answer.get("item", answer)


def exported(client: Client, clock: Clock) -> tuple[str, list[str]]:
    """Return where an export is, and which pictures are in it."""
    answer = client.post("/api/v1/exports/", {}, content_type=JSON)
    load_tasks()
    runner = JobRunner(handlers=HANDLERS, clock=clock.now, lease=LEASE)
    for job in Job.objects.filter(state=Job.State.WAITING):
        runner.run(job.id, job.attempt + 1)
    place = answer.headers["Location"]
    file = client.get(got(client, place)["file"])
    coco = json.loads(b"".join(file.streaming_content))  # type: ignore[attr-defined]  # a file
    return place, [image["file_name"] for image in coco["images"]]


def test_its_sample_shows_admins_alone_the_truth(
    labeler: Client, admin: Client, gold: GoldAnswer
) -> None:
    for path in (f"/api/v1/samples/{gold.item.sample_id}/", "/api/v1/samples/"):
        for client, is_open in ((labeler, False), (admin, True)):
            told = got(client, path)
            sample = told.get("results", [told])[0]
            assert (sample["annotation"] is not None) is is_open


def test_what_is_no_known_answer_any_more_is_shown(labeler: Client, gold: GoldAnswer) -> None:
    retire_gold(gold, at=START)
    assert got(labeler, f"/api/v1/samples/{gold.item.sample_id}/")["annotation"] is not None


def test_the_editor_shows_it_as_an_open_one(labeler: Client, gold: GoldAnswer, bob: User) -> None:
    def looks_open() -> None:
        for path in editors(gold):
            item = shown(labeler, path)
            assert (item["state"], item["decided"]) == ("open", None)
            assert "car" not in {box["label"] for box in item["boxes"]}

    looks_open()
    start_item(item=gold.item, by=bob, at=START)
    looks_open()
    release_item(item=gold.item, by=bob, at=START)
    looks_open()


def test_who_has_answered_may_look(labeler: Client, gold: GoldAnswer, bob: User) -> None:
    gold.item.refresh_from_db()
    answer = submit_verdict(item=gold.item, by=bob, revision=gold.item.revision, boxes=[], at=START)
    assert answer.is_gold
    for path in editors(gold):
        item = shown(labeler, path)
        assert (item["state"], [box["label"] for box in item["boxes"]]) == ("done", ["car"])


def test_an_admin_sees_what_was_decided(admin: Client, gold: GoldAnswer) -> None:
    assert {shown(admin, path)["state"] for path in editors(gold)} == {"done"}


def test_what_led_to_it_is_shown_to_admins_alone(
    labeler: Client, admin: Client, gold: GoldAnswer
) -> None:
    path = f"/api/v1/verdicts/?item={gold.item_id}"
    assert got(labeler, path)["results"] == []
    assert len(got(admin, path)["results"]) == 1


def test_a_labeler_s_export_is_without_it_and_an_admin_s_is_not_theirs(
    labeler: Client, admin: Client, gold: GoldAnswer, clock: Clock, bob: User
) -> None:
    other = make_review_item(make_sample(Camera.objects.get(), Bundle.objects.get()))
    submit_verdict(item=other, by=bob, revision=0, boxes=[], at=START)
    theirs, pictures = exported(labeler, clock)
    assert pictures == [f"images/{other.sample_id}.jpg"]
    place, pictures = exported(admin, clock)
    assert len(pictures) == 2
    assert labeler.get(place).status_code == labeler.get(f"{place}file/").status_code == 404
    (listed,) = got(labeler, "/api/v1/exports/")["results"]
    assert listed["id"] in theirs
    assert place.split("/")[-2] not in labeler.get("/exports/").content.decode()


@pytest.mark.parametrize("page", ["datasets/annotation", "review/reviewitem", "review/verdict"])
def test_the_admin_s_pages_are_closed_to_labelers(gold: GoldAnswer, page: str) -> None:
    staff = make_user("sid", organization=gold.organization, role=Role.LABELER)
    staff.is_staff = True
    staff.save()
    client = Client()
    client.force_login(staff)
    assert client.get(f"/admin/{page}/").status_code == 403
