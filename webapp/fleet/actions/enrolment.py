"""How an agent becomes ours: a one-time join token for its public key; and how it ceases to be."""

import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac

from processing.wire.identity import EnrollRequest, EnrollResponse, enroll_bytes
from webapp.accounts.models import User
from webapp.common.changes import record_change
from webapp.common.hub_identity import hub_id
from webapp.fleet.models import Agent, JoinToken, Site

log = structlog.get_logger()

LIFETIME: Final = timedelta(hours=1)
_PREFIX: Final = "fw1"
_SECRET_BYTES: Final = 24


class EnrolmentRefused(Exception):
    """The agent may not join; the text says why, for whoever started it."""


class BadSignature(EnrolmentRefused):
    """Whoever asks does not hold the private key."""


class JoinTokenUnknown(EnrolmentRefused):
    """No such token was ever made here."""


class JoinTokenExpired(EnrolmentRefused):
    """The token was good once; a new one is needed."""


class JoinTokenUsed(EnrolmentRefused):
    """Another agent has joined with it; a new one is needed."""


class KeyRefused(EnrolmentRefused):
    """The key was revoked, or belongs to an agent of another site; a new key is needed."""


def create_join_token(site: Site, *, by: User, at: datetime) -> str:
    """Return a one-time right to enrol an agent at `site`, for an hour.

    It is shown this once: the hub keeps a keyed hash.
    """
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    token = JoinToken.objects.create(
        organization=site.organization,
        site=site,
        secret_hash=_hash(secret),
        created_by=by,
        created_at=at,
        expires_at=at + LIFETIME,
    )
    log.info("join_token.created", site=str(site.id), by=str(by.pk))
    return f"{_PREFIX}_{token.id.hex}_{secret}"


def enrol_agent(request: EnrollRequest, *, at: datetime) -> EnrollResponse:
    """Make the holder of a key an agent of the token's site, or raise an `EnrolmentRefused`.

    Asking again with the same key gives the same answer, so that a lost response strands nobody.
    """
    _check_signature(request)
    with transaction.atomic():
        token = _locked_token(request.token)
        agent = _agent_of_key(request.public_key, token)
        if token.used_at is not None and (agent is None or agent.pk != token.agent_id):
            raise JoinTokenUsed("this join token has been used; ask for a new one")
        if token.used_at is None:
            if at >= token.expires_at:
                raise JoinTokenExpired("this join token has expired; ask for a new one")
            agent = agent or _new_agent(request, token, at=at)
            token.used_at, token.agent = at, agent
            token.save(update_fields=("used_at", "agent"))
            record_change(token.organization_id, "agents", at=at)
            log.info("agent.enrolled", agent=str(agent.id), site=str(token.site_id))
    assert agent is not None
    return EnrollResponse(
        agent_id=agent.id,
        hub_id=hub_id(),
        organization=token.organization.name,
        site=token.site.name,
    )


@transaction.atomic
def revoke_agent(agent: Agent, *, by: User, at: datetime) -> None:
    """Shut the agent out for good: its connection is closed and its key is never taken again."""
    # The session moves on, so that what is already on its way is not written either.
    Agent.objects.filter(pk=agent.pk).update(
        is_revoked=True, is_connected=False, session=F("session") + 1
    )
    agent.refresh_from_db()
    record_change(agent.organization_id, "agents", at=at)
    log.info("agent.revoked", agent=str(agent.id), by=str(by.pk))


def _check_signature(request: EnrollRequest) -> None:
    signed = enroll_bytes(token=request.token, public_key=request.public_key)
    try:
        Ed25519PublicKey.from_public_bytes(request.public_key).verify(request.signature, signed)
    except (InvalidSignature, ValueError) as error:
        raise BadSignature("the signature does not prove that the key is yours") from error


def _locked_token(text: str) -> JoinToken:
    """Return the token, its row locked so that of many redemptions at once one wins."""
    prefix, _, rest = text.partition("_")
    token_id, _, secret = rest.partition("_")
    token = None
    if prefix == _PREFIX and secret and (key := _uuid(token_id)) is not None:
        tokens = JoinToken.objects.select_for_update(of=("self",))
        token = tokens.select_related("site", "organization").filter(pk=key).first()
    if token is None or not constant_time_compare(token.secret_hash, _hash(secret)):
        raise JoinTokenUnknown("no such join token; was it copied whole?")
    return token


def _agent_of_key(public_key: bytes, token: JoinToken) -> Agent | None:
    agent = Agent.objects.filter(public_key=public_key).first()
    if agent is not None and (agent.is_revoked or agent.site_id != token.site_id):
        raise KeyRefused("this key is not welcome at this site; make a new one")
    return agent


def _new_agent(request: EnrollRequest, token: JoinToken, *, at: datetime) -> Agent:
    try:
        with transaction.atomic():
            return Agent.objects.create(
                organization=token.organization,
                site=token.site,
                name=request.name,
                public_key=request.public_key,
                software=request.software,
                enrolled_at=at,
            )
    except IntegrityError as error:
        raise KeyRefused("this key is being enrolled with another token right now") from error


def _hash(secret: str) -> str:
    return salted_hmac("farwatch.join_token", secret, algorithm="sha256").hexdigest()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(hex=text)
    except ValueError:
        return None
