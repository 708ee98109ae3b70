"""What a bearer may do: API keys, agents and people, until it is over."""

from datetime import timedelta

import msgspec
import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from processing.wire.tier import MAX_BEARER, Grant, GrantAsked
from tests.factories import START, Clock
from tests.webapp.inference.reporting import GRANTS, make_use, post_as_tier
from webapp.accounts.models import Organization, User
from webapp.common.clock import now
from webapp.fleet.actions import revoke_agent
from webapp.fleet.models import Agent
from webapp.inference.grants import grant_for
from webapp.inference.keys import KeyTerms, NewKey, create_key, revoke_key
from webapp.inference.reports import add_usage
from webapp.inference.tokens import BadToken, agent_token, read_token, user_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(acme: Organization, alice: User) -> NewKey:
    terms = KeyTerms("App", pictures_per_s=3, burst=4, pictures_per_day=100)
    return create_key(acme, terms, by=alice, at=START)


def test_a_key_says_what_its_program_may(made: NewKey, acme: Organization) -> None:
    grant = grant_for(made.secret, at=START)
    assert grant is not None
    assert (grant.grant_id, grant.kind, grant.organization_id) == (made.key.pk, "key", acme.pk)
    assert (grant.pictures_per_s, grant.burst, grant.n_left_today) == (3, 4, 100)
    assert grant.scopes == ("detect", "models")
    assert grant.expires_s == 30


def test_nothing_of_a_secret_is_kept(made: NewKey) -> None:
    row = {str(value) for value in made.key.__dict__.values()}
    assert made.secret.startswith("fw_")
    assert len(made.secret) > 40
    assert made.secret not in row
    assert made.secret.startswith(made.key.shown)
    assert len(made.key.shown) < 12


def test_a_revoked_key_is_refused_from_the_next_question_on(made: NewKey, clock: Clock) -> None:
    revoke_key(made.key, at=clock.now())
    assert grant_for(made.secret, at=clock.now()) is None


def test_revoking_twice_keeps_the_first_time(made: NewKey, clock: Clock) -> None:
    first = revoke_key(made.key, at=clock.now()).revoked_at
    assert revoke_key(made.key, at=clock.advance(hours=1)).revoked_at == first


def test_what_was_answered_today_is_taken_off_the_quota(
    made: NewKey, acme: Organization, clock: Clock
) -> None:
    yesterday = START - timedelta(days=1)
    add_usage([make_use(acme, made.key.pk, answered=60, refused=9)], at=yesterday)
    add_usage([make_use(acme, made.key.pk, answered=30, refused=9)], at=START)
    add_usage([make_use(acme, made.key.pk, model="other", answered=5)], at=START)
    grant = grant_for(made.secret, at=START)
    assert grant is not None
    assert grant.n_left_today == 65
    add_usage([make_use(acme, made.key.pk, answered=500)], at=START)
    grant = grant_for(made.secret, at=START)
    assert grant is not None
    assert grant.n_left_today == 0


def test_a_key_remembers_when_it_was_used(made: NewKey, clock: Clock) -> None:
    grant_for(made.secret, at=clock.now())
    made.key.refresh_from_db()
    assert made.key.last_used_at == START
    grant_for(made.secret, at=clock.advance(seconds=30))
    made.key.refresh_from_db()
    assert made.key.last_used_at == START  # a minute is exact enough: no write a question
    later = clock.advance(minutes=2)
    grant_for(made.secret, at=later)
    made.key.refresh_from_db()
    assert made.key.last_used_at == later


def test_an_agent_comes_with_a_token_that_lapses(agent: Agent, settings: Settings) -> None:
    settings.TIER_AGENT_PICTURES_PER_S = 7.0
    token = agent_token(agent, at=START, expires_s=40)
    grant = grant_for(token, at=START)
    assert grant is not None
    assert (grant.grant_id, grant.kind, grant.pictures_per_s) == (agent.pk, "agent", 7.0)
    late = grant_for(token, at=START + timedelta(seconds=35))
    assert late is not None
    assert late.expires_s == 5
    assert grant_for(token, at=START + timedelta(seconds=40)) is None


def test_a_revoked_agents_token_is_over(agent: Agent, alice: User) -> None:
    token = agent_token(agent, at=START)
    revoke_agent(agent, by=alice, at=START)
    assert grant_for(token, at=START) is None


def test_a_persons_token_is_over_with_their_membership(acme: Organization, olga: User) -> None:
    token = user_token(olga, acme, at=START)
    grant = grant_for(token, at=START)
    assert grant is not None
    assert (grant.kind, grant.grant_id) == ("hub", olga.pk)
    olga.memberships.all().delete()
    assert grant_for(token, at=START) is None


def test_a_spoilt_token_is_none(agent: Agent) -> None:
    token = agent_token(agent, at=START)
    assert read_token(token, at=START).id == agent.pk
    for spoilt in (token.upper(), token[:-1], token + "a", token.replace(".", "..")):
        with pytest.raises(BadToken):
            read_token(spoilt, at=START)


def test_a_token_fits_what_a_tier_asks_about(agent: Agent) -> None:
    assert len(agent_token(agent, at=START)) < MAX_BEARER


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prefix=st.sampled_from(["", "fw_", "fwt_"]), rest=st.text(max_size=MAX_BEARER))
def test_nobody_guesses_a_bearer(db: None, prefix: str, rest: str) -> None:
    assert grant_for(prefix + rest, at=START) is None


def test_the_tier_asks_with_its_token(client: Client, acme: Organization, alice: User) -> None:
    made = create_key(acme, KeyTerms("App"), by=alice, at=now())
    answer = post_as_tier(client, GRANTS, GrantAsked(bearer=made.secret))
    assert answer.status_code == 200
    assert msgspec.json.decode(answer.content, type=Grant).grant_id == made.key.pk
    assert answer["Cache-Control"] == "no-store"


def test_an_unknown_bearer_is_404(client: Client) -> None:
    answer = post_as_tier(client, GRANTS, GrantAsked(bearer="fw_nobody"))
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:farwatch:problem:unknown-bearer"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "x"}])
def test_strangers_may_not_ask(client: Client, alice: User, headers: dict[str, str]) -> None:
    client.force_login(alice)  # a login is no token
    answer = client.post(GRANTS, b"{}", content_type="application/json", headers=headers)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="Farwatch tier"'


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"bearer": ""}', "bearer"),
        (b'{"bearer": 7}', "bearer"),
        (b'{"bearer": "' + b"x" * 513 + b'"}', "bearer"),
        (b"{}", ""),
    ],
)
def test_what_is_wrong_is_named(client: Client, body: bytes, field: str) -> None:
    answer = post_as_tier(client, GRANTS, body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_said_so(client: Client, body: bytes) -> None:
    answer = post_as_tier(client, GRANTS, body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
