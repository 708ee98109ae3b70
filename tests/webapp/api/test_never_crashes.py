"""Whatever strangers send, the API answers in words: never a crash."""

import base64
import json
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import make_event, make_result, make_sample
from webapp.accounts.models import User, WrongPasswords
from webapp.fleet.models import Bundle, Camera

NAMES = [
    "agent", "name", "source", "labels", "sample_policy", "analysed_fps", "score_threshold",
    "is_enabled", "site", "organization", "cameras", "token", "public_key", "signature",
    "software", "low_score", "id", "state", "__class__",
]  # fmt: skip
LISTS = [
    "sites", "agents", "cameras", "join-tokens", "results", "counts", "events", "samples",
    "review-items", "verdicts", "exports", "jobs",
]  # fmt: skip
PARAMETERS = [
    "camera", "agent", "site", "bundle", "from", "to", "label", "zone", "bucket", "state", "reason",
    "severity", "item", "queue", "sample", "outcome", "cursor", "page_size", "format", "ordering",
    "pk__in",
]  # fmt: skip

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\0")
    | st.sampled_from(["rtsp://[", "usb:99999", "file:a", "x" * 3000, "2" * 400, 10**400])
)  # fmt: skip
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=12,
)
texts = st.text(max_size=40) | st.sampled_from([
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59+14:00", "2026-11-22", "minute", "open", "ready",
    "019ab400-0000-7000-8000-000000000000", "-1", "1e400", "cD0y", "'; drop table --", "\0",
    "9" * 30,
])  # fmt: skip
cursors = (
    st.tuples(st.sampled_from(["p", "o", "r", "x"]), texts)
    .map(lambda pair: base64.b64encode(f"{pair[0]}={pair[1]}".encode()).decode())
)  # fmt: skip

pytestmark = pytest.mark.usefixtures("filled")
often = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def filled(camera: Camera, bundle: Bundle) -> None:
    make_result(camera, bundle)
    make_sample(camera, bundle)
    make_event(camera.organization, camera=camera)


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@often
@given(body=anything, target=st.sampled_from(["cameras", "sites", "join-tokens", "exports"]))
def test_no_body_makes_a_list_crash(admin: Client, body: object, target: str) -> None:
    answer = admin.post(f"/api/v1/{target}/", json.dumps(body), content_type="application/json")
    assert answer.status_code < 500, answer.content


@often
@given(body=st.dictionaries(st.sampled_from(NAMES), anything, max_size=5))
def test_no_body_makes_a_row_crash(admin: Client, camera: Camera, body: object) -> None:
    for path in (f"cameras/{camera.id}", f"sites/{camera.agent.site_id}"):
        answer = admin.patch(f"/api/v1/{path}/", json.dumps(body), content_type="application/json")
        assert answer.status_code < 500, answer.content


@often
@given(body=st.binary(max_size=300) | anything.map(lambda body: json.dumps(body).encode()))
def test_no_body_makes_enrolment_crash(client: Client, body: bytes) -> None:
    WrongPasswords.objects.all().delete()  # tries are counted there
    answer = client.post("/api/v1/agents/enroll", body, content_type="application/json")
    assert answer.status_code in {400, 401, 413}, answer.content


@often
@given(
    query=st.dictionaries(st.sampled_from(PARAMETERS), texts | cursors, max_size=3),
    target=st.sampled_from(LISTS),
)
def test_no_query_makes_a_list_crash(admin: Client, query: dict[str, str], target: str) -> None:
    answer = admin.get(f"/api/v1/{target}/", query)
    assert answer.status_code in {200, 400, 404}, answer.content


@often
@given(key=texts, target=st.sampled_from(LISTS))
def test_no_address_makes_a_row_crash(admin: Client, key: str, target: str) -> None:
    answer = admin.get(f"/api/v1/{target}/{quote(key, safe='')}/")
    assert answer.status_code in {200, 301, 404}, answer.content
