"""Whatever strangers and tiers send about inference, the answer is in words: never a crash."""

import json
from collections.abc import Callable

import msgspec
import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.webapp.inference.reporting import (
    GRANTS,
    REPORTS,
    make_report,
    make_tier_bundle,
    post_as_tier,
)
from webapp.accounts.models import User
from webapp.common.clock import now
from webapp.inference.reports import take_report

NAMES = [
    "name", "scopes", "pictures_per_s", "burst", "pictures_per_day", "organization", "model",
    "versions", "digest", "weight", "is_shadow", "bearer", "tier_id", "number", "uses", "bundles",
    "queues", "problems", "at", "outcomes",
]  # fmt: skip
PATHS = [
    "/api/v1/api-keys/",
    "/api/v1/inference/models/",
    "/inference/route/",
    "/inference/keys/add/",
]
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\0")
    | st.sampled_from(["detect", "nanodet-g", "0" * 32, "1e999", 10**400, "x" * 3000])
)  # fmt: skip
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=8)
    ),
    max_leaves=15,
)
bodies = st.dictionaries(st.sampled_from(NAMES), anything, max_size=6)
few = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    """An admin of a hub whose tier has a model."""
    take_report(make_report(bundles=(make_tier_bundle(),)), at=now())
    client.force_login(alice)
    return client


@few
@given(
    body=bodies | anything, method=st.sampled_from(["POST", "PATCH"]), path=st.sampled_from(PATHS)
)
def test_no_body_makes_a_write_crash(admin: Client, body: object, method: str, path: str) -> None:
    answer = admin.generic(method, path, json.dumps(body), content_type="application/json")
    assert answer.status_code < 500, answer.content


@few
@given(form=st.dictionaries(st.sampled_from([*NAMES, f"weight_{0:032x}"]), st.text(), max_size=5))
def test_no_form_makes_a_page_crash(admin: Client, form: dict[str, str]) -> None:
    for path in ("/inference/route/", "/inference/keys/add/"):
        answer = admin.post(path, form, headers={"HX-Request": "true"})
        assert answer.status_code < 500, answer.content


@few
@given(
    query=st.dictionaries(
        st.sampled_from(["grant", "kind", "model", "from", "to", "cursor", "page_size", "span"]),
        st.text(max_size=30) | st.sampled_from(["0001-01-01T00:00:00Z", "24h", "9" * 30]),
        max_size=4,
    )
)
def test_no_query_makes_a_read_crash(admin: Client, query: dict[str, str]) -> None:
    for path in ("/api/v1/inference/usage/", "/inference/traffic.json", "/inference/"):
        answer = admin.get(path, query)
        assert answer.status_code in {200, 400, 404}, answer.content


@few
@given(change=bodies, path=st.sampled_from([GRANTS, REPORTS]))
def test_no_tier_makes_the_hub_crash(admin: Client, change: dict[str, object], path: str) -> None:
    told = msgspec.to_builtins(make_report(bundles=(make_tier_bundle(),))) | change
    answer = post_as_tier(admin, path, json.dumps(told).encode())
    assert answer.status_code < 500, answer.content


def test_a_soak_finds_no_crash_either(admin: Client, soaked: Callable[[int], int]) -> None:
    @settings(few, max_examples=soaked(2_000))
    @given(body=bodies, path=st.sampled_from(PATHS[:2]))
    def send(body: object, path: str) -> None:
        method = "PATCH" if "models" in path else "POST"
        answer = admin.generic(method, path, json.dumps(body), content_type="application/json")
        assert answer.status_code < 500, answer.content

    send()
