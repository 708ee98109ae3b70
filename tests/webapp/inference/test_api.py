"""Keys, usage and what is served, over HTTP."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from tests.factories import make_organization
from tests.webapp.inference.reporting import make_report, make_tier_bundle, make_use
from webapp.accounts.models import Membership, Organization, Role, User
from webapp.common.clock import now
from webapp.inference import keys
from webapp.inference.grants import grant_for
from webapp.inference.models import ApiKey
from webapp.inference.reports import add_usage, take_report

pytestmark = pytest.mark.django_db
KEYS = "/api/v1/api-keys/"
USAGE = "/api/v1/inference/usage/"
MODELS = "/api/v1/inference/models/"
JSON = "application/json"


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def test_a_key_is_made_listed_and_called_off(admin: Client) -> None:
    wanted = {"name": "App", "pictures_per_day": 50, "scopes": ["detect", "detect"]}
    made = admin.post(KEYS, wanted, content_type=JSON)
    assert made.status_code == 201
    said = made.json()
    assert (said["key"]["scopes"], said["key"]["pictures_per_day"]) == (["detect"], 50)
    assert grant_for(said["secret"], at=now()) is not None
    listed = admin.get(KEYS)
    assert said["secret"] not in listed.text
    (row,) = listed.json()["results"]
    assert (row["name"], row["created_by"], row["revoked_at"]) == ("App", "alice", None)
    over = admin.post(f"{KEYS}{row['id']}/revoke/")
    assert over.json()["revoked_at"] is not None
    assert grant_for(said["secret"], at=now()) is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "a", "scopes": ["all"]}, "scopes.0"),
        ({"name": "a", "scopes": []}, "scopes"),
        ({"name": "a", "pictures_per_s": 0}, "pictures_per_s"),
        ({"name": "a", "pictures_per_s": "NaN"}, "pictures_per_s"),
        ({"name": "a", "burst": 10**12}, "burst"),
        ({"name": "a", "pictures_per_day": 0}, "pictures_per_day"),
        ({"name": "a", "organization": str(uuid4())}, "organization"),
    ],
)
def test_what_is_wrong_with_a_key_is_named(
    admin: Client, body: dict[str, object], field: str
) -> None:
    answer = admin.post(KEYS, body, content_type=JSON)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    assert not ApiKey.objects.exists()


def test_who_is_in_several_organizations_says_which(
    admin: Client, alice: User, acme: Organization
) -> None:
    other = make_organization()
    Membership.objects.create(user=alice, organization=other, role=Role.ADMIN)
    assert admin.post(KEYS, {"name": "a"}, content_type=JSON).status_code == 400
    body = {"name": "a", "organization": str(acme.pk)}
    assert admin.post(KEYS, body, content_type=JSON).status_code == 201
    assert ApiKey.objects.get().organization == acme


def test_only_so_many_keys_are_made(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "MAX_KEYS", 2)
    answers = [admin.post(KEYS, {"name": "a"}, content_type=JSON) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert answers[2].json()["type"] == "urn:farwatch:problem:too-many-keys"
    admin.post(f"{KEYS}{answers[0].json()['key']['id']}/revoke/")
    assert admin.post(KEYS, {"name": "a"}, content_type=JSON).status_code == 201


def test_usage_is_listed_by_hour_and_narrowed(operator: Client, acme: Organization) -> None:
    key, at = uuid4(), now()
    add_usage([make_use(acme, key, answered=1)], at=at - timedelta(hours=2))
    add_usage([make_use(acme, key, answered=2)], at=at)
    add_usage([make_use(acme, model="other", answered=4)], at=at)
    add_usage([make_use(make_organization(), key, answered=99)], at=at)

    def answered(**query: str) -> list[int]:
        return sorted(row["n_answered"] for row in operator.get(USAGE, query).json()["results"])

    assert answered() == [1, 2, 4]
    assert answered(grant=str(key)) == [1, 2]
    assert answered(model="other") == [4]
    assert answered(kind="agent") == []
    since = (at - timedelta(minutes=61)).isoformat()
    assert answered(**{"from": since}) == [2, 4]
    assert answered(to=since) == [1]
    newest, *_ = operator.get(USAGE).json()["results"]
    assert newest["n_answered"] in {2, 4}
    refused = operator.get(USAGE, {"grant": "x", "who": "me"})
    assert set(refused.json()["errors"]) == {"grant", "who"}


@pytest.fixture
def served() -> tuple[str, str]:
    """The digests of two versions that a tier has."""
    bundles = make_tier_bundle(version="1"), make_tier_bundle(version="2")
    take_report(make_report(bundles=bundles), at=now())
    return bundles[0].digest, bundles[1].digest


def test_every_member_reads_what_is_served(
    client: Client, bob: User, served: tuple[str, str]
) -> None:
    client.force_login(bob)
    (model,) = client.get(MODELS).json()
    assert model["model"] == "nanodet-g"
    assert [version["share"] for version in model["versions"]] == [0.5, 0.5]


def test_an_operator_changes_how_versions_share(operator: Client, served: tuple[str, str]) -> None:
    versions = [
        {"digest": served[0], "weight": 3},
        {"digest": served[1], "weight": 1, "is_shadow": True},
    ]
    body = {"model": "nanodet-g", "versions": versions}
    (model,) = operator.patch(MODELS, body, content_type=JSON).json()
    shares = [(version["share"], version["is_shadow"]) for version in model["versions"]]
    assert shares == [(1.0, False), (0.0, True)]


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("model", {"model": "nobody", "versions": [{"digest": "0" * 32, "weight": 1}]}),
        ("versions", {"model": "nanodet-g", "versions": []}),
        ("versions", {"model": "nanodet-g", "versions": [{"digest": "f" * 32, "weight": 1}]}),
        ("versions.0.digest", {"model": "a", "versions": [{"digest": "x", "weight": 1}]}),
        ("versions.0.weight", {"model": "a", "versions": [{"digest": "0" * 32, "weight": -1}]}),
    ],
)
def test_what_cannot_be_served_is_named(
    operator: Client, served: tuple[str, str], field: str, body: dict[str, object]
) -> None:
    answer = operator.patch(MODELS, body, content_type=JSON)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


def test_on_a_shared_hub_nobody_decides_alone(operator: Client, served: tuple[str, str]) -> None:
    make_organization()
    body = {"model": "nanodet-g", "versions": [{"digest": served[0], "weight": 1}]}
    answer = operator.patch(MODELS, body, content_type=JSON)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:farwatch:problem:shared-hub"


def test_whoever_runs_a_shared_hub_decides(
    client: Client, olga: User, served: tuple[str, str]
) -> None:
    make_organization()
    olga.is_superuser = True
    olga.save()
    client.force_login(olga)
    body = {"model": "nanodet-g", "versions": [{"digest": served[0], "weight": 1}]}
    assert client.patch(MODELS, body, content_type=JSON).status_code == 200
