"""The API describes itself: without warnings, with one shape of error, behind the login."""

import io

import pytest
import yaml
from django.core.management import call_command
from django.test import Client

from webapp.accounts.models import User


@pytest.fixture(scope="module")
def schema() -> dict[str, dict[str, dict[str, dict[str, object]]]]:
    out = io.StringIO()
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=out)
    loaded: dict[str, dict[str, dict[str, dict[str, object]]]] = yaml.safe_load(out.getvalue())
    return loaded


def test_it_works(schema: dict[str, dict[str, dict[str, dict[str, object]]]]) -> None:
    assert "/api/v1/cameras/" in schema["paths"]
    assert "Problem" in schema["components"]["schemas"]


def test_every_operation_says_what_its_errors_look_like(
    schema: dict[str, dict[str, dict[str, dict[str, object]]]],
) -> None:
    for path in schema["paths"].values():
        for operation in path.values():
            responses = operation["responses"]
            assert isinstance(responses, dict)
            assert "application/problem+json" in responses["default"]["content"]


def test_every_operation_has_a_name_of_its_own(
    schema: dict[str, dict[str, dict[str, dict[str, object]]]],
) -> None:
    names = [op["operationId"] for path in schema["paths"].values() for op in path.values()]
    assert len(names) == len(set(map(str, names)))


def test_page_and_schema_open_for_members(client: Client, olga: User) -> None:
    client.force_login(olga)
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert b"swagger-ui" in page.content
    assert b"//cdn" not in page.content
    assert client.get("/api/schema/").status_code == 200


def test_page_and_schema_are_closed_to_others(client: Client, db: None) -> None:
    assert client.get("/api/docs/").status_code == 401
    assert client.get("/api/schema/").status_code == 401
