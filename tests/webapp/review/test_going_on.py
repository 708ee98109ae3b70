"""One request does for three: a decision, what is on the screen from then on, one picture more."""

from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.factories import (
    make_agent,
    make_bundle,
    make_camera,
    make_organization,
    make_review_item,
    make_sample,
    make_site,
)
from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.common.ids import uuid7
from webapp.fleet.models import Bundle, Camera
from webapp.review.actions import claim_next, submit_verdict
from webapp.review.models import Lease, ReviewItem, ReviewQueue, Verdict

A_CAR = {"xyxy": [0.1, 0.2, 0.5, 0.6], "label": "car"}


@pytest.fixture
def browser(client: Client, bob: User) -> Client:
    client.force_login(bob)
    return client


@pytest.fixture
def items(item: ReviewItem, camera: Camera, bundle: Bundle) -> list[ReviewItem]:
    """Three, the most urgent first."""
    others = [make_review_item(make_sample(camera, bundle, score=score)) for score in (0.27, 0.26)]
    return [item, *others]


def post(browser: Client, name: str, *args: object, **body: Any) -> Any:
    url = reverse(name, args=args)
    return browser.post(url, body, content_type="application/json")


def hold(browser: Client, *items: ReviewItem) -> None:
    """Have the first on the screen, and the others behind it."""
    for n, item in enumerate(items):
        claimed = post(browser, "review_next", besides=[str(each.pk) for each in items[:n]])
        assert claimed.json()["item"]["id"] == str(item.pk)
    post(browser, "review_start", items[0].pk)


def test_a_save_begins_the_next_item_and_claims_another(
    browser: Client, items: list[ReviewItem]
) -> None:
    first, second, third = items
    hold(browser, first, second)
    onward = {"shown": str(second.pk), "besides": [str(first.pk), str(second.pk)]}
    answer = post(browser, "review_submit", first.pk, revision=0, boxes=[A_CAR], onward=onward)
    told = answer.json()
    assert told["status"] == {"n_open": 2, "n_mine_today": 1}
    assert told["item"]["id"] == str(third.pk)
    assert told["moved"] is None
    assert not Lease.objects.get(item=second).is_prepared, "its time at work has begun"
    assert Lease.objects.get(item=third).is_prepared


def test_so_does_a_skip(browser: Client, items: list[ReviewItem]) -> None:
    first, second, third = items
    hold(browser, first, second)
    onward = {"shown": str(second.pk), "besides": [str(second.pk)]}
    body = {"revision": 0, "skip_as": "passed", "onward": onward}
    told = post(browser, "review_skip", first.pk, **body).json()
    assert told["item"]["id"] == str(third.pk)
    assert not Lease.objects.get(item=second).is_prepared


def test_what_is_saved_stays_so_when_the_next_is_another_s(
    browser: Client, items: list[ReviewItem], queue: ReviewQueue, bea: User
) -> None:
    first, second, third = items
    post(browser, "review_start", first.pk)
    assert claim_next(queue=queue, by=bea, at=now()) == second
    onward = {"shown": str(second.pk), "besides": [str(second.pk)]}
    answer = post(browser, "review_submit", first.pk, revision=0, boxes=[A_CAR], onward=onward)
    assert answer.status_code == HTTPStatus.OK
    told = answer.json()
    assert told["moved"]["status"] == HTTPStatus.CONFLICT
    assert told["moved"]["detail"] == "bea has this picture in hand."
    assert told["moved"]["item"]["held_by"]["name"] == "bea"
    assert told["item"]["id"] == str(third.pk)
    assert Verdict.objects.get().item == first


def test_nothing_goes_on_from_what_is_not_saved(
    browser: Client, items: list[ReviewItem], bea: User
) -> None:
    first, second, _ = items
    submit_verdict(item=first, by=bea, revision=0, boxes=[], at=now())
    onward = {"shown": str(second.pk), "besides": []}
    refused = post(browser, "review_submit", first.pk, revision=0, boxes=[A_CAR], onward=onward)
    assert refused.status_code == HTTPStatus.CONFLICT
    assert not Lease.objects.exists()


def test_what_is_gone_or_another_organization_s_is_not_begun(
    browser: Client, item: ReviewItem
) -> None:
    globex = make_organization("Globex")
    gate = make_camera(make_agent(make_site(globex)))
    theirs = make_review_item(make_sample(gate, make_bundle(globex)))
    for unknown in (theirs.pk, uuid7()):
        item.refresh_from_db()
        body = {"revision": item.revision, "boxes": [], "onward": {"shown": str(unknown)}}
        answer = post(browser, "review_submit", item.pk, **body)
        assert answer.status_code == HTTPStatus.OK
        assert answer.json()["moved"] is None
        assert not Lease.objects.exists()
        post(browser, "review_undo")
        Lease.objects.all().delete()


@pytest.mark.parametrize(
    ("onward", "field"),
    [
        ({"shown": "x"}, "onward.shown"),
        ({"besides": ["x"]}, "onward.besides.0"),
        ({"besides": [str(uuid7())] * 17}, "onward.besides"),
        ({"beside": []}, "onward"),
    ],
)
def test_a_bad_wish_is_refused_by_field_and_nothing_is_saved(
    browser: Client, item: ReviewItem, onward: dict[str, object], field: str
) -> None:
    refused = post(browser, "review_submit", item.pk, revision=0, boxes=[], onward=onward)
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert list(refused.json()["errors"]) == [field]
    assert not Verdict.objects.exists()


def test_a_picture_costs_few_questions(
    browser: Client,
    items: list[ReviewItem],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    """They are most of what a labeler waits for."""
    first, second, third = items
    hold(browser, first, second)
    ids = [str(first.pk), str(second.pk)]
    onward = {"shown": str(second.pk), "besides": ids}
    with django_assert_max_num_queries(48):  # eight are savepoints, of tests alone
        post(browser, "review_submit", first.pk, revision=0, boxes=[A_CAR], onward=onward)
    assert Lease.objects.get(item=third).is_prepared
