"""Labelers and admins review their own organization's pictures; nobody else does."""

from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse

from webapp.accounts.models import User
from webapp.review.models import Lease, ReviewItem

OF_THE_QUEUE = [("get", "review"), ("get", "review_waiting"), ("post", "review_next")]
OF_AN_ITEM = [
    ("get", "review_item"),
    ("post", "review_start"),
    ("post", "review_submit"),
    ("post", "review_skip"),
    ("post", "review_renew"),
    ("post", "review_release"),
]


def status_for(user: User | None, method: str, name: str, *args: object) -> int:
    client = Client()
    if user is not None:
        client.force_login(user)
    asks = client.get if method == "get" else client.post
    return asks(reverse(name, args=args)).status_code


@pytest.mark.parametrize(("method", "name"), OF_THE_QUEUE)
def test_an_operator_is_refused_the_queue(olga: User, method: str, name: str) -> None:
    assert status_for(olga, method, name) == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(("method", "name"), OF_AN_ITEM)
def test_an_operator_is_refused_an_item(
    olga: User, item: ReviewItem, method: str, name: str
) -> None:
    assert status_for(olga, method, name, item.pk) == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(("method", "name"), OF_AN_ITEM)
def test_to_a_stranger_the_item_does_not_exist(
    charlie: User, item: ReviewItem, method: str, name: str
) -> None:
    assert status_for(charlie, method, name, item.pk) == HTTPStatus.NOT_FOUND
    assert not Lease.objects.exists()


@pytest.mark.parametrize(("method", "name"), OF_AN_ITEM)
def test_who_is_not_logged_in_is_sent_to_the_login(
    item: ReviewItem, method: str, name: str
) -> None:
    assert status_for(None, method, name, item.pk) == HTTPStatus.FOUND


def test_a_strangers_queue_is_empty(charlie: User, item: ReviewItem, client: Client) -> None:
    client.force_login(charlie)
    assert client.post(reverse("review_next")).headers["Location"] == reverse("review")
    assert client.get(reverse("review_waiting")).content == b""


def test_an_admin_may_review(alice: User, item: ReviewItem, client: Client) -> None:
    client.force_login(alice)
    assert client.get(reverse("review_waiting")).content == b"1"
    assert client.post(reverse("review_next")).headers["Location"].endswith(f"{item.pk}/")
