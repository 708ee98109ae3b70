"""Every request has an id, in its answer, its refusals and its log lines."""

import pytest
import structlog
from django.http import HttpRequest, HttpResponse
from django.test import Client

from webapp.accounts.models import User
from webapp.common.request_ids import RequestIds, current_id

HEADER = "X-Request-ID"


def test_it_works(client: Client, olga: User) -> None:
    client.force_login(olga)
    answer = client.get("/events/", headers={HEADER: "proxy-7.1_a"})
    assert answer.headers[HEADER] == "proxy-7.1_a"


def test_one_is_made_where_none_came(client: Client, db: None) -> None:
    ids = {client.get("/login/").headers[HEADER] for _ in range(2)}
    assert len(ids) == 2
    assert all(len(each) == 32 for each in ids)


@pytest.mark.parametrize("given", ["", " ", "a b", "x" * 65, "-a", 'a"b', "é", "a\tb", "{}"])
def test_what_does_not_belong_into_a_log_is_replaced(client: Client, db: None, given: str) -> None:
    assert client.get("/login/", headers={HEADER: given}).headers[HEADER] != given


def test_a_refusal_names_its_request(client: Client, olga: User) -> None:
    client.force_login(olga)
    answer = client.get("/api/nowhere/", headers={HEADER: "abc"})
    assert answer.json()["instance"] == "urn:farwatch:request:abc"


def test_log_lines_of_a_request_hold_its_id_and_those_after_it_do_not() -> None:
    seen: list[tuple[str, object]] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append((current_id(), structlog.contextvars.get_contextvars().get("request_id")))
        return HttpResponse()

    request = HttpRequest()
    request.method = "GET"
    answer = RequestIds(view)(request)
    assert seen == [(answer.headers[HEADER],) * 2]
    assert current_id() == ""
