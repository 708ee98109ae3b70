"""A database that is gone or busy is no crash: people and programs are told to come back."""

import pytest
from django.db import OperationalError
from django.http import HttpResponseBase
from django.test import RequestFactory

from webapp.common.problems import server_error


def answer_to(path: str, error: Exception) -> HttpResponseBase:
    """Return what Django answers when a view raises `error`."""
    try:
        raise error
    except type(error):
        return server_error(RequestFactory().get(path))


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/review/", "text/html; charset=utf-8"), ("/api/v1/events/", "application/problem+json")],
)
def test_it_is_said_with_when_to_come_back(path: str, content_type: str) -> None:
    answer = answer_to(path, OperationalError("database is locked"))
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert answer["Content-Type"] == content_type


def test_anything_else_is_a_crash() -> None:
    assert answer_to("/api/v1/events/", ValueError("a defect")).status_code == 500
