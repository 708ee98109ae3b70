"""What the editor asks of the hub, and how the hub answers, over HTTP."""

from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.factories import make_review_item, make_sample
from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.datasets.models import Annotation
from webapp.fleet.models import Bundle, Camera
from webapp.review.actions import claim_next, submit_verdict
from webapp.review.boxes import Box
from webapp.review.models import Lease, ReviewItem, ReviewQueue, Verdict

A_CAR = {"xyxy": [0.1, 0.2, 0.5, 0.6], "label": "car"}


@pytest.fixture
def browser(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


def post(browser: Client, name: str, *args: object, **body: Any) -> Any:
    url = reverse(name, args=args)
    return browser.post(url, body, content_type="application/json")


def test_it_works(browser: Client, item: ReviewItem) -> None:
    url = reverse("review_item", args=[item.pk])
    assert browser.post(reverse("review_next")).headers["Location"] == url
    page = browser.get(url)
    assert page.status_code == HTTPStatus.OK
    assert b"In doubt about" in page.content
    post(browser, "review_start", item.pk)
    saved = post(browser, "review_submit", item.pk, revision=0, boxes=[A_CAR])
    assert saved.status_code == HTTPStatus.OK
    assert saved.json()["status"]["n_mine_today"] == 1
    assert Annotation.objects.get().boxes == [A_CAR]


def test_keys_go_wherever_their_labeler_does(browser: Client, item: ReviewItem) -> None:
    assert post(browser, "review_keys", keys={"accept": ["q"]}).status_code == HTTPStatus.OK
    page = browser.get(reverse("review_item", args=[item.pk]))
    assert page.context["keys"] == {"accept": ["q"]}
    for wrong in ({"no such deed": ["q"]}, {"accept": ["q"] * 5}, {"accept": ["\0"]}, ["accept"]):
        refused = post(browser, "review_keys", keys=wrong)
        assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert any(field.startswith("keys") for field in refused.json()["errors"])


def test_looking_at_an_item_does_not_claim_it(browser: Client, item: ReviewItem) -> None:
    browser.get(reverse("review_item", args=[item.pk]))
    assert not Lease.objects.exists()


def test_an_item_comes_with_all_that_the_editor_shows(browser: Client, item: ReviewItem) -> None:
    url = reverse("review_item", args=[item.pk])
    got = browser.get(url, headers={"Accept": "application/json"}).json()["item"]
    assert got["picture_url"] == reverse("picture", args=[item.sample_id])
    assert (got["width"], got["height"]) == (640, 272)
    assert [box["label"] for box in got["predictions"]] == ["person", "bicycle"]
    assert got["labels"] == ["person", "bicycle", "car"]
    assert got["doubtful"] == 0
    assert got["reason"] == "In doubt about “person”: the model is 33% sure"


def test_the_next_item_is_fetched_ahead(
    browser: Client, item: ReviewItem, camera: Camera, bundle: Bundle
) -> None:
    other = make_review_item(make_sample(camera, bundle, score=0.26))
    browser.post(reverse("review_next"))
    ahead = post(browser, "review_next", besides=[str(item.pk)])
    assert ahead.json()["item"]["id"] == str(other.pk)
    assert Lease.objects.get(item=other).is_prepared


def test_an_empty_queue_says_so(browser: Client) -> None:
    assert post(browser, "review_next", besides=[]).json()["item"] is None
    answer = browser.post(reverse("review_next"), follow=True)
    assert b"There is nothing to review right now." in answer.content
    assert b"No pictures yet" in answer.content


def test_a_conflict_shows_how_the_item_is_now(browser: Client, item: ReviewItem, bea: User) -> None:
    box = Box(xyxy=(0.2, 0.2, 0.4, 0.4), label="person")
    submit_verdict(item=item, by=bea, revision=0, boxes=[box], at=now())
    refused = post(browser, "review_submit", item.pk, revision=0, boxes=[A_CAR])
    assert refused.status_code == HTTPStatus.CONFLICT
    assert refused["Content-Type"] == "application/problem+json"
    theirs = refused.json()["item"]
    assert theirs["revision"] == 1
    assert theirs["state"] == "done"
    assert theirs["decided"]["by"] == "bea"
    assert theirs["decided"]["boxes"] == [{"xyxy": [0.2, 0.2, 0.4, 0.4], "label": "person"}]


def test_a_lost_lease_is_a_conflict_that_names_the_holder(
    browser: Client, queue: ReviewQueue, item: ReviewItem, bea: User
) -> None:
    claim_next(queue=queue, by=bea, at=now())
    for name in ("review_start", "review_renew"):
        refused = post(browser, name, item.pk)
        assert refused.status_code == HTTPStatus.CONFLICT
        assert refused.json()["item"]["held_by"]["name"] == "bea"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"revision": 0}, ""),
        ({"revision": -1, "boxes": []}, "revision"),
        ({"revision": "0", "boxes": []}, "revision"),
        ({"revision": 0, "boxes": [{"xyxy": [0, 0, 1], "label": "car"}]}, "boxes.0.xyxy"),
        ({"revision": 0, "boxes": [{"xyxy": [0, 0, 1, 2], "label": "car"}]}, "boxes.0.xyxy"),
        ({"revision": 0, "boxes": [A_CAR, {**A_CAR, "label": "ghost"}]}, "boxes.1.label"),
        ({"revision": 0, "boxes": [A_CAR] * 301}, "boxes"),
        ({"revision": 0, "boxes": [], "outcome": "accepted"}, ""),
    ],
)
def test_a_bad_save_is_refused_by_field(
    browser: Client, item: ReviewItem, body: dict[str, object], field: str
) -> None:
    refused = post(browser, "review_submit", item.pk, **body)
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert refused["Content-Type"] == "application/problem+json"
    assert list(refused.json()["errors"]) == [field]
    assert not Verdict.objects.exists()


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 5000, b"x" * 300_000, b"1e999"])
def test_a_body_that_is_no_json_is_refused(browser: Client, item: ReviewItem, body: bytes) -> None:
    url = reverse("review_submit", args=[item.pk])
    refused = browser.post(url, body, content_type="application/json")
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_a_skip_moves_on(browser: Client, item: ReviewItem) -> None:
    assert post(browser, "review_skip", item.pk, revision=0, skip_as="ambiguous").status_code == 200
    assert post(browser, "review_skip", item.pk, revision=1, skip_as="lazy").status_code == 422
    item.refresh_from_db()
    assert item.state == ReviewItem.State.AMBIGUOUS


def test_a_beacon_releases_the_item(browser: Client, item: ReviewItem) -> None:
    post(browser, "review_start", item.pk)
    assert browser.post(reverse("review_release", args=[item.pk])).status_code == 204
    assert not Lease.objects.exists()


def test_undo_brings_the_item_back(browser: Client, item: ReviewItem) -> None:
    post(browser, "review_submit", item.pk, revision=0, boxes=[A_CAR])
    undone = post(browser, "review_undo").json()
    assert undone["item"]["revision"] == 2
    assert undone["item"]["boxes"] == [A_CAR]
    assert post(browser, "review_undo").json()["item"] is None


def test_a_verdict_in_the_list_can_be_taken_back(browser: Client, item: ReviewItem) -> None:
    post(browser, "review_submit", item.pk, revision=0, boxes=[A_CAR])
    verdict = Verdict.objects.get()
    listed = browser.get(reverse("review"))
    url = reverse("review_undo_one", args=[verdict.pk])
    assert url in listed.content.decode()
    undone = browser.post(url)
    assert undone.headers["Location"] == reverse("review_item", args=[item.pk])
    again = browser.post(url, follow=True)
    assert b"not there any more" in again.content


def test_without_a_token_nothing_is_written(bob: User, item: ReviewItem) -> None:
    forged = Client(enforce_csrf_checks=True)
    forged.force_login(bob)
    for name in ("review_start", "review_submit", "review_skip", "review_renew", "review_release"):
        assert post(forged, name, item.pk).status_code == HTTPStatus.FORBIDDEN
    for name in ("review_next", "review_undo"):
        assert post(forged, name).status_code == HTTPStatus.FORBIDDEN


def test_the_queue_costs_as_much_with_many_items(
    browser: Client,
    item: ReviewItem,
    camera: Camera,
    bundle: Bundle,
    bob: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(12):
        other = make_review_item(make_sample(camera, bundle))
        submit_verdict(item=other, by=bob, revision=0, boxes=[], at=now())
    with django_assert_max_num_queries(16):
        browser.get(reverse("review"))
