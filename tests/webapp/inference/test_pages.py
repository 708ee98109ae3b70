"""The pages about inference: what they say, and what may be done there."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from processing.wire.tier import TierQueue
from tests.factories import make_organization
from tests.webapp.inference.reporting import make_report, make_tier_bundle, make_use
from webapp.accounts.models import Organization, User
from webapp.common.clock import now
from webapp.fleet.models import Agent
from webapp.inference.grants import grant_for
from webapp.inference.keys import KeyTerms, create_key, revoke_key
from webapp.inference.models import ApiKey, ServedVersion
from webapp.inference.reports import add_usage, take_report

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def operator(client: Client, olga: User) -> Client:
    client.force_login(olga)
    return client


def text_of(client: Client, path: str, **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_without_a_tier_it_says_what_to_do(operator: Client) -> None:
    text = text_of(operator, "/inference/")
    assert "No inference tier is configured" in text
    assert "FARWATCH_TIER_URL" in text
    assert "No inference tier is configured" in text_of(operator, "/inference/try/")


def test_a_tier_that_never_came_is_waited_for(operator: Client, settings: Settings) -> None:
    settings.TIER_URL = "http://127.0.0.1:1"
    assert "The tier has not reported yet" in text_of(operator, "/inference/")


def test_it_shows_how_a_tier_is(operator: Client) -> None:
    bundles = (make_tier_bundle(), make_tier_bundle("yolox", state="failed", reason="No output."))
    queue = TierQueue(model="nanodet-g", n_waiting=3, wait_ms=41, pictures_per_s=85)
    said = make_report(bundles=bundles, queues=(queue,), problems=("Memory is full.",))
    take_report(said, at=now())
    text = text_of(operator, "/inference/", **HTMX)
    assert "<html" not in text
    assert "Up " in text
    for words in ("Memory is full.", "3 waiting", "about 41 ms", "85 pictures", "No output."):
        assert words in text


def test_a_silent_tier_is_away(operator: Client) -> None:
    take_report(make_report(bundles=(make_tier_bundle(),)), at=now() - timedelta(minutes=5))
    text = text_of(operator, "/inference/")
    assert "Away, last heard of" in text
    assert "nanodet-g" in text  # as it was last known


def test_an_operator_changes_the_split(operator: Client, olga: User) -> None:
    old, new = make_tier_bundle(version="1"), make_tier_bundle(version="2")
    take_report(make_report(bundles=(old, new)), at=now())
    form = {"model": "nanodet-g", f"weight_{old.digest}": "9", f"weight_{new.digest}": "1"}
    answer = operator.post("/inference/route/", form, headers=HTMX)
    assert answer.status_code == 200
    assert "Saved." in answer.content.decode()
    assert "90 %" in answer.content.decode()
    rows = ServedVersion.objects.values_list("digest", "weight", "is_shadow", "changed_by")
    assert set(rows) == {(old.digest, 9.0, False, olga.pk), (new.digest, 1.0, False, olga.pk)}


@pytest.mark.parametrize(
    ("weight", "words"),
    [("", "At least one"), ("-1", "no number"), ("x", "no number"), ("nan", "no number")],
)
def test_a_split_that_cannot_be_is_refused_in_words(
    operator: Client, weight: str, words: str
) -> None:
    bundle = make_tier_bundle()
    take_report(make_report(bundles=(bundle,)), at=now())
    form = {"model": "nanodet-g", f"weight_{bundle.digest}": weight}
    answer = operator.post("/inference/route/", form, headers=HTMX)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not ServedVersion.objects.exists()


def test_without_htmx_a_refusal_is_a_message(operator: Client) -> None:
    answer = operator.post("/inference/route/", {"model": "none"}, follow=True)
    assert "No tier has a model of this name." in answer.content.decode()


def test_nobody_of_several_organizations_decides_alone(operator: Client) -> None:
    bundle = make_tier_bundle()
    take_report(make_report(bundles=(bundle,)), at=now())
    make_organization("Other")
    assert "only whoever runs this hub" in text_of(operator, "/inference/")
    form = {"model": "nanodet-g", f"weight_{bundle.digest}": "1"}
    answer = operator.post("/inference/route/", form, headers=HTMX)
    assert answer.status_code == 422
    assert "Several organizations" in answer.content.decode()


def test_who_sends_most_comes_first(
    operator: Client, acme: Organization, alice: User, agent: Agent
) -> None:
    key = create_key(acme, KeyTerms("Parking app"), by=alice, at=now()).key
    other = make_organization()
    uses = [
        make_use(acme, agent.pk, answered=50),
        make_use(acme, key.pk, answered=12_345, refused=7, late=2),
        make_use(other, uuid4(), answered=99_999),
    ]
    add_usage(uses, at=now())
    text = text_of(operator, "/inference/")
    assert text.index("Parking app") < text.index("Quay 1")
    assert "12.3k</strong> answered" in text
    assert "<strong>9</strong> turned away" in text
    assert "100.0k" not in text


def test_the_chart_adds_up_by_hour_and_day(operator: Client, acme: Organization) -> None:
    at = now()
    for hours, n_pictures in ((0, 5), (1, 7), (23, 1), (30, 100)):
        add_usage(
            [make_use(acme, answered=n_pictures, late=n_pictures)], at=at - timedelta(hours=hours)
        )
    figures = operator.get("/inference/traffic.json").json()
    assert (figures["step_s"], len(figures["times"])) == (3600, 24)
    assert [each["label"] for each in figures["series"]] == ["answered", "late"]
    answered = figures["series"][0]
    assert (answered["values"][-2:], answered["total"]) == ([7, 5], 13)
    assert datetime.fromtimestamp(figures["times"][-1], at.tzinfo) <= at
    month = operator.get("/inference/traffic.json?span=30d").json()
    assert (month["step_s"], month["series"][0]["total"]) == (86_400, 113)
    assert operator.get("/inference/traffic.json?span=9y").status_code == 400


def test_a_person_gets_a_token_for_their_organization(
    operator: Client, acme: Organization, olga: User
) -> None:
    said = operator.post("/inference/try/token/").json()
    grant = grant_for(said["token"], at=now())
    assert grant is not None
    assert (grant.organization_id, grant.grant_id) == (acme.pk, olga.pk)
    assert said["expires_s"] == 60


def test_a_secret_is_shown_once(admin: Client) -> None:
    form = {"name": "Parking app", "pictures_per_s": "5", "scopes": ["detect"]}
    answer = admin.post("/inference/keys/add/", form, headers=HTMX)
    assert answer.status_code == 200
    text = answer.content.decode()
    secret = text.split('id="key-secret"')[1].split(">")[1].split("<")[0]
    key = ApiKey.objects.get()
    assert grant_for(secret, at=now()) is not None
    assert (key.scopes, key.pictures_per_s, key.burst) == (["detect"], 5.0, 10)
    assert f"Bearer {secret}" in text
    assert "http://testserver/api/v1/detect/" in text
    assert answer["Cache-Control"] == "no-store"
    assert secret not in text_of(admin, "/inference/keys/")


def test_programs_are_told_where_the_tier_is_in_public(admin: Client, settings: Settings) -> None:
    settings.TIER_PUBLIC_URL = "https://tier.example.org"
    form = {"name": "App", "pictures_per_s": "5", "scopes": ["detect"]}
    text = admin.post("/inference/keys/add/", form).content.decode()
    assert "https://tier.example.org/api/v1/detect/" in text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("pictures_per_s", "0"),
        ("pictures_per_s", "1e9"),
        ("pictures_per_day", "-3"),
        ("scopes", "everything"),
    ],
)
def test_what_is_wrong_with_a_key_is_said(admin: Client, field: str, value: str) -> None:
    form = {"name": "App", "pictures_per_s": "5", "scopes": "detect"} | {field: value}
    answer = admin.post("/inference/keys/add/", form, headers=HTMX)
    assert answer.status_code == 422
    assert "field__error" in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_keys_are_listed_with_what_they_used(
    admin: Client, acme: Organization, alice: User
) -> None:
    terms = KeyTerms("App", pictures_per_day=1000)
    key = create_key(acme, terms, by=alice, at=now()).key
    add_usage([make_use(acme, key.pk, answered=284)], at=now())
    revoke_key(create_key(acme, KeyTerms("Old"), by=alice, at=now()).key, at=now())
    text = text_of(admin, "/inference/keys/", **HTMX)
    assert "284 of 1,000 pictures today" in text
    assert text.index("App") < text.index("Old")
    assert text.count("Revoke App") > 0
    assert "Revoke Old" not in text


def test_a_key_is_called_off(admin: Client, acme: Organization, alice: User) -> None:
    made = create_key(acme, KeyTerms("App"), by=alice, at=now())
    answer = admin.post(f"/inference/keys/{made.key.pk}/revoke/", headers=HTMX)
    assert answer.status_code == 204
    assert "fw:keys" in answer["HX-Trigger"]
    assert grant_for(made.secret, at=now()) is None
    assert "Revoked" in text_of(admin, "/inference/keys/")
