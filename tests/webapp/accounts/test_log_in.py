"""Logging in: one door, told nothing about who exists, shut for a while after wrong passwords."""

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from tests.factories import PASSWORD, Clock, make_user
from webapp.accounts.attempts import MAX_FOR_ADDRESS, MAX_FOR_USER, WINDOW, LogInAttempts
from webapp.accounts.models import Organization, User, WrongPasswords

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer


@pytest.fixture
def dana(acme: Organization) -> User:
    return make_user("dana", organization=acme, password=PASSWORD)


def log_in(
    client: Client, password: str = PASSWORD, *, name: str = "dana", by: str = "10.0.0.1"
) -> "Answer":
    form = {"username": name, "password": password}
    return client.post("/login/", form, REMOTE_ADDR=by)


def test_it_works(client: Client, dana: User) -> None:
    answer = log_in(client)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert client.get("/").status_code == 200


def test_a_session_does_not_survive_the_login(client: Client, dana: User) -> None:
    client.get("/login/")
    client.session["planted"] = True
    before = client.session.session_key
    log_in(client)
    assert client.session.session_key != before


def test_logging_out_takes_a_post(client: Client, dana: User) -> None:
    log_in(client)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").status_code == 302
    assert client.get("/").status_code == 302


def test_a_wrong_password_and_a_wrong_name_get_the_same_answer(client: Client, dana: User) -> None:
    wrong = log_in(client, "nope")
    unknown = log_in(client, "nope", name="nobody")
    assert wrong.status_code == unknown.status_code == 200
    assert wrong.context["form"].non_field_errors() == unknown.context["form"].non_field_errors()


def test_after_too_many_wrong_passwords_the_right_one_waits_too(client: Client, dana: User) -> None:
    for _ in range(MAX_FOR_USER):
        assert log_in(client, "nope").status_code == 200
    answer = log_in(client)
    assert answer.status_code == 429
    assert "Wait 15 minutes" in answer.content.decode()


def test_a_stranger_elsewhere_cannot_lock_somebody_out(client: Client, dana: User) -> None:
    for _ in range(MAX_FOR_USER):
        log_in(client, "nope", by="203.0.113.9")
    assert log_in(client, by="10.0.0.1").status_code == 302


def test_one_password_for_everybody_is_stopped_by_address(client: Client, dana: User) -> None:
    for n in range(MAX_FOR_ADDRESS):
        log_in(client, "Winter2026", name=f"user{n}")
    assert log_in(client).status_code == 429
    assert log_in(client, by="10.0.0.2").status_code == 302


def test_after_a_while_the_count_begins_anew(dana: User, clock: Clock) -> None:
    for _ in range(MAX_FOR_USER):
        attempts_at(clock).count_failure()
    assert attempts_at(clock).are_exhausted()
    clock.advance(seconds=WINDOW.total_seconds())
    assert not attempts_at(clock).are_exhausted()
    attempts_at(clock).count_failure()
    assert WrongPasswords.objects.count() == 2  # what is over is not kept


def attempts_at(clock: Clock) -> LogInAttempts:
    return LogInAttempts(username="dana", address="10.0.0.1", at=clock.now())


def test_the_right_password_forgives_the_wrong_ones(client: Client, dana: User) -> None:
    for _ in range(3):
        for _ in range(MAX_FOR_USER - 1):
            log_in(client, "nope")
        assert log_in(client).status_code == 302
        client.logout()


def test_an_address_a_client_names_itself_counts_only_behind_our_proxy(
    client: Client, dana: User
) -> None:
    for n in range(MAX_FOR_USER):
        client.post(
            "/login/",
            {"username": "dana", "password": "nope"},
            headers={"X-Forwarded-For": f"198.51.100.{n}"},
            REMOTE_ADDR="10.0.0.1",
        )
    assert log_in(client).status_code == 429


def test_the_page_after_the_login_is_one_of_ours(client: Client, dana: User) -> None:
    form = {"username": "dana", "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert client.post("/login/", form).headers["Location"] == "/"


def test_the_admins_own_login_leads_to_ours(client: Client, dana: User) -> None:
    answer = client.get("/admin/login/?next=/admin/")
    assert answer.headers["Location"] == "/login/?next=/admin/"
    assert client.post("/admin/login/", {"username": "dana"}).status_code == 302


def test_a_form_without_its_token_is_refused(dana: User) -> None:
    assert log_in(Client(enforce_csrf_checks=True)).status_code == 403
