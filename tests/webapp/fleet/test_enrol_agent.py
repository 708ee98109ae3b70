"""A join token admits one key, once, within its hour."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connections

from processing.wire.identity import EnrollRequest, EnrollResponse, enroll_bytes
from tests.factories import START, Clock, make_organization, make_site, make_user
from webapp.accounts.models import User
from webapp.common.hub_identity import hub_id
from webapp.fleet.actions import (
    BadSignature,
    JoinTokenExpired,
    JoinTokenUnknown,
    JoinTokenUsed,
    KeyRefused,
    create_join_token,
    enrol_agent,
    revoke_agent,
)
from webapp.fleet.models import Agent, JoinToken, Site


def ask(
    token: str, key: Ed25519PrivateKey, *, signed_by: Ed25519PrivateKey | None = None
) -> EnrollRequest:
    public_key = key.public_key().public_bytes_raw()
    signature = (signed_by or key).sign(enroll_bytes(token=token, public_key=public_key))
    return EnrollRequest(
        token=token, public_key=public_key, signature=signature, name="Quay 1", software="test 1"
    )


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def token(site: Site, alice: User) -> str:
    return create_join_token(site, by=alice, at=START)


def test_it_works(site: Site, token: str, key: Ed25519PrivateKey, clock: Clock) -> None:
    answer = enrol_agent(ask(token, key), at=clock.now())
    agent = Agent.objects.get()
    assert answer == EnrollResponse(
        agent_id=agent.id, hub_id=hub_id(), organization="Acme", site="Harbour"
    )
    assert bytes(agent.public_key) == key.public_key().public_bytes_raw()
    assert agent.organization == site.organization


def test_the_secret_is_not_kept(token: str) -> None:
    secret = token.split("_", 2)[2]
    row = JoinToken.objects.values().get()
    assert not any(secret in str(value) for value in row.values())


def test_a_lost_answer_can_be_asked_for_again(
    token: str, key: Ed25519PrivateKey, clock: Clock
) -> None:
    first = enrol_agent(ask(token, key), at=clock.now())
    clock.advance(hours=2)
    assert enrol_agent(ask(token, key), at=clock.now()) == first
    assert Agent.objects.count() == 1


def test_an_agent_may_join_its_site_again_with_a_new_token(
    site: Site, alice: User, token: str, key: Ed25519PrivateKey, clock: Clock
) -> None:
    first = enrol_agent(ask(token, key), at=clock.now())
    again = create_join_token(site, by=alice, at=clock.now())
    assert enrol_agent(ask(again, key), at=clock.now()) == first


def test_a_used_token_admits_no_other_key(token: str, key: Ed25519PrivateKey, clock: Clock) -> None:
    enrol_agent(ask(token, key), at=clock.now())
    with pytest.raises(JoinTokenUsed, match="has been used"):
        enrol_agent(ask(token, Ed25519PrivateKey.generate()), at=clock.now())


def test_an_expired_token_admits_nobody(token: str, key: Ed25519PrivateKey, clock: Clock) -> None:
    clock.advance(hours=1)
    with pytest.raises(JoinTokenExpired, match="has expired"):
        enrol_agent(ask(token, key), at=clock.now())
    assert not Agent.objects.exists()


@pytest.mark.parametrize(
    "spoiled",
    [
        "{token}x",
        "fw1_00000000000000000000000000000000_{secret}",
        "fw2_{secret}",
        "fw1_nonsense_{secret}",
        "fw1_\x00\ud7ff_{secret}",
        "________",
    ],
)
def test_a_wrong_token_is_unknown(token: str, key: Ed25519PrivateKey, spoiled: str) -> None:
    wrong = spoiled.format(token=token, secret=token.split("_", 2)[2])
    with pytest.raises(JoinTokenUnknown):
        enrol_agent(ask(wrong, key), at=START)


def test_a_key_that_is_not_held_is_refused(token: str, key: Ed25519PrivateKey) -> None:
    with pytest.raises(BadSignature):
        enrol_agent(ask(token, key, signed_by=Ed25519PrivateKey.generate()), at=START)


def test_a_revoked_key_never_comes_back(
    site: Site, alice: User, token: str, key: Ed25519PrivateKey
) -> None:
    enrol_agent(ask(token, key), at=START)
    agent = Agent.objects.get()
    revoke_agent(agent, by=alice, at=START)
    with pytest.raises(KeyRefused):
        enrol_agent(ask(token, key), at=START)
    with pytest.raises(KeyRefused):
        enrol_agent(ask(create_join_token(site, by=alice, at=START), key), at=START)
    assert agent.is_revoked
    assert agent.session == 1


def test_a_key_of_another_organization_is_refused(token: str, key: Ed25519PrivateKey) -> None:
    enrol_agent(ask(token, key), at=START)
    other = make_organization()
    admin = make_user(organization=other)
    foreign = create_join_token(make_site(other), by=admin, at=START)
    with pytest.raises(KeyRefused):
        enrol_agent(ask(foreign, key), at=START)


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_at_once_one_wins(token: str) -> None:
    requests = [ask(token, Ed25519PrivateKey.generate()) for _ in range(100)]

    def redeem(request: EnrollRequest) -> bool:
        try:
            enrol_agent(request, at=START)
        except JoinTokenUsed:
            return False
        else:
            return True
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as pool:
        won = list(pool.map(redeem, requests))
    assert won.count(True) == 1
    winner = Agent.objects.get()
    assert bytes(winner.public_key) == requests[won.index(True)].public_key
