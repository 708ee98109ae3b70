"""Every error of the API is a problem (RFC 9457) that says in words what is wrong."""

from typing import NoReturn

import pytest
from django.http import HttpRequest
from django.test import Client

from webapp.accounts.models import User
from webapp.common.parsers import MAX_JSON_BYTES
from webapp.fleet.api import CameraViewSet
from webapp.fleet.models import Camera


@pytest.fixture
def client_of_alice(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def test_it_works(client_of_alice: Client) -> None:
    answer = client_of_alice.get("/api/v1/cameras/?colour=red")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body.pop("instance") == f"urn:farwatch:request:{answer.headers['X-Request-ID']}"
    assert body == {
        "type": "urn:farwatch:problem:invalid",
        "title": "Bad Request",
        "status": 400,
        "detail": "Some fields are not as they must be.",
        "errors": {"colour": ["There is no such filter. There are: agent, site, state."]},
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/cameras/019ab400-0000-7000-8000-000000000000/", 404),
        ("GET", "/api/v1/cameras/not-an-id/", 404),
        ("GET", "/api/nowhere/", 404),
        ("GET", "/api/v1/cameras/?cursor=made-up", 404),
        ("GET", "/api/v1/cameras/?cursor=cD1ub3BlCg==", 404),
        ("GET", "/api/v1/results/?cursor=cD1ub3BlCg==", 404),
        ("GET", "/api/v1/cameras/?agent=1", 400),
        ("GET", "/api/v1/results/?from=yesterday", 400),
        ("PUT", "/api/v1/cameras/", 405),
        ("DELETE", "/api/v1/events/", 405),
        ("POST", "/api/v1/results/", 405),
    ],
)
def test_whatever_is_wrong_the_answer_is_a_problem(
    client_of_alice: Client, method: str, path: str, status: int
) -> None:
    answer = client_of_alice.generic(method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"name": NaN}', "application/json", 400),
        (b'{"name": "\\ud800"}', "application/json", 400),
        (b'{"name": "a\\u0000b"}', "application/json", 400),
        (b"[1, 2]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'"words"', "application/json", 400),
        (b"<camera/>", "application/xml", 415),
        (b"name=Gate", "application/x-www-form-urlencoded", 415),
        (b" " * (MAX_JSON_BYTES + 1), "application/json", 413),
    ],
)
def test_a_body_that_is_not_as_it_must_be_is_refused_in_words(
    client_of_alice: Client, body: bytes, content_type: str, status: int
) -> None:
    answer = client_of_alice.post("/api/v1/cameras/", body, content_type=content_type)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_invalid_field_is_named(client_of_alice: Client, camera: Camera) -> None:
    answer = client_of_alice.patch(
        f"/api/v1/cameras/{camera.id}/",
        {"source": "gopher://x", "labels": ["ok", 3, ""]},
        content_type="application/json",
    )
    assert answer.status_code == 400
    assert set(answer.json()["errors"]) == {"labels.2"}
    answer = client_of_alice.patch(
        f"/api/v1/cameras/{camera.id}/", {"source": "gopher://x"}, content_type="application/json"
    )
    assert "rtsp://" in answer.json()["errors"]["source"][0]


def test_nobody_is_told_to_log_in(client: Client, db: None) -> None:
    answer = client.get("/api/v1/cameras/")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Session realm="Farwatch"'


def test_the_schema_answers_strangers_in_json_too(client: Client, db: None) -> None:
    assert client.get("/api/schema/").json()["status"] == 401


def test_a_write_without_its_csrf_token_is_refused(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    answer = client.post("/api/v1/sites/", {"name": "x"}, content_type="application/json")
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


def test_a_crash_tells_a_reference_and_nothing_else(
    client_of_alice: Client, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def crash(view: CameraViewSet, request: HttpRequest) -> NoReturn:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(CameraViewSet, "list", crash)
    client_of_alice.raise_request_exception = False
    answer = client_of_alice.get("/api/v1/cameras/")
    assert answer.status_code == 500
    problem = answer.json()
    assert "secret" not in answer.content.decode()
    reference = problem["detail"].removesuffix(".").split()[-1]
    assert len(reference) == 8
