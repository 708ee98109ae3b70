"""An agent enrols itself over HTTP: a join token and proof of a key for an identity."""

import base64
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import Client

from processing.wire.identity import enroll_bytes
from tests.factories import Clock
from webapp.accounts.attempts import MAX_ENROLMENTS, EnrolAttempts
from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.fleet.actions import create_join_token
from webapp.fleet.models import Agent, Site

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Answer


PATH = "/api/v1/agents/enroll"


@pytest.fixture
def token(site: Site, alice: User) -> str:
    return create_join_token(site, by=alice, at=now())


def request_of(token: str, key: Ed25519PrivateKey | None = None, **fields: str) -> dict[str, str]:
    key = key or Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    signature = key.sign(enroll_bytes(token=token, public_key=public))
    return {
        "token": token,
        "public_key": base64.b64encode(public).decode(),
        "signature": base64.b64encode(signature).decode(),
        "name": "Quay 2",
        "software": "farwatch 1",
    } | fields


def enroll(client: Client, body: object, path: str = PATH) -> "Answer":
    return client.post(path, body, content_type="application/json")


def test_it_works(client: Client, token: str, site: Site) -> None:
    answer = enroll(client, request_of(token))
    assert answer.status_code == 201, answer.content
    agent = Agent.objects.get()
    said = answer.json()
    assert (said["agent_id"], said["site"]) == (str(agent.id), "Harbour")
    assert agent.site == site


def test_it_works_with_a_slash_and_with_somebodys_cookies(
    token: str, alice: User, site: Site
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert enroll(client, request_of(token), PATH + "/").status_code == 201


def test_asking_again_with_the_same_key_gives_the_same_answer(client: Client, token: str) -> None:
    key = Ed25519PrivateKey.generate()
    first = enroll(client, request_of(token, key))
    assert enroll(client, request_of(token, key)).json() == first.json()


def test_a_used_token_is_a_conflict(client: Client, token: str) -> None:
    enroll(client, request_of(token))
    answer = enroll(client, request_of(token))
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:farwatch:problem:join-token-used"
    assert answer.json()["detail"] == "This join token has been used; ask for a new one."


def test_an_expired_token_is_gone(client: Client, site: Site, alice: User) -> None:
    old = create_join_token(site, by=alice, at=now() - timedelta(days=2))
    answer = enroll(client, request_of(old))
    assert answer.status_code == 410
    assert "expired" in answer.json()["detail"]


@pytest.mark.parametrize("made_up", ["fw1_nothing_here", "x" * 200, "fw1_" + "0" * 32 + "_abc"])
def test_a_token_that_is_none_is_unauthorized(client: Client, db: None, made_up: str) -> None:
    answer = enroll(client, request_of(made_up))
    assert answer.status_code == 401
    assert "copied whole" in answer.json()["detail"]


def test_a_key_that_is_not_the_senders_is_unauthorized(client: Client, token: str) -> None:
    body = request_of(token) | {"signature": base64.b64encode(b"x" * 64).decode()}
    assert enroll(client, body).status_code == 401
    assert not Agent.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("public_key", "AAAA"),
        ("public_key", "not base64!"),
        ("signature", ""),
        ("token", "short"),
        ("name", ""),
        ("name", 7),
        ("name", None),
        ("software", "x" * 201),
    ],
)
def test_a_field_that_is_wrong_is_named(
    client: Client, token: str, field: str, value: object
) -> None:
    answer = enroll(client, request_of(token) | {field: value})
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_too_much_is_refused_before_it_is_read(client: Client, db: None) -> None:
    assert enroll(client, {"token": "x" * 9000}).status_code == 413


def test_reading_is_not_what_it_is_for(client: Client, db: None) -> None:
    assert client.get(PATH).status_code == 405


def test_who_tries_and_tries_is_told_to_wait(client: Client, db: None) -> None:
    answers = [enroll(client, {}) for _ in range(31)]
    assert answers[-1].status_code == 429
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60


def test_tries_at_another_web_process_count(client: Client, db: None) -> None:
    elsewhere = EnrolAttempts(address="127.0.0.1", at=now())
    for _ in range(MAX_ENROLMENTS):
        assert elsewhere.take() is None
    assert enroll(client, {}).status_code == 429


def test_another_address_and_another_minute_have_tries_of_their_own(db: None, clock: Clock) -> None:
    for _ in range(MAX_ENROLMENTS):
        EnrolAttempts(address="10.0.0.1", at=clock.now()).take()
    assert EnrolAttempts(address="10.0.0.2", at=clock.now()).take() is None
    clock.advance(seconds=59)
    assert EnrolAttempts(address="10.0.0.1", at=clock.now()).take() == timedelta(seconds=1)
    clock.advance(seconds=1)
    assert EnrolAttempts(address="10.0.0.1", at=clock.now()).take() is None
