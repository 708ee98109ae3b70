"""The figures behind the chart of counts, as the page asks for them."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client

from tests.rollups import enter
from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.fleet.models import Bundle, Camera

GATE = UUID(int=1)


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def test_a_zone_can_be_asked_for(operator: Client, camera: Camera, bundle: Bundle) -> None:
    at = (now() - timedelta(minutes=5)).replace(second=0, microsecond=0)
    enter(camera, bundle, GATE, 0, at, n=3)
    address = f"/cameras/{camera.pk}/counts.json"
    (series,) = operator.get(f"{address}?span=1h&zone={GATE}").json()["series"]
    assert (series["label"], series["total"]) == ("person", 3)
    assert operator.get(f"{address}?span=1h&zone={UUID(int=2)}").json()["series"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("span=2h", "span"),
        ("measure=least", "measure"),
        ("zone=gate", "zone"),
        (f"zone={GATE}&measure=peak", "measure"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(
    operator: Client, camera: Camera, query: str, field: str
) -> None:
    answer = operator.get(f"/cameras/{camera.pk}/counts.json?{query}")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert list(answer.json()["errors"]) == [field]
